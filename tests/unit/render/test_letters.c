/* Texts in the scripts of the world: their pictures, their measures, what is kept of them. */
#include "render/letters.h"

#include "base/thread.h"
#include "golden.h"
#include "support.h"
#include "tools.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 16 * 1024
};

/* Before any font is asked for. */
static void pin_fonts(void)
{
#ifdef SL_WITH_PANGO
    char dir[4096];
    char path[sizeof dir + 32];
    ck_assert_ptr_nonnull(getcwd(dir, sizeof dir));
    (void)snprintf(path, sizeof path, "%s/tests/golden/fonts.conf", dir);
    ck_assert_int_eq(setenv("FONTCONFIG_FILE", path, 1), 0);
#endif
}

static void keep_fonts(void)
{
}

/* What fontconfig and Pango keep until the process ends is not ours to free. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:libpango\nleak:libglib\nleak:libgobject\n";
}

static sl_letters measure(const char *line)
{
    sl_letters l;
    ck_assert(sl_letters_measure(line, 100, &l));
    return l;
}

#ifdef SL_WITH_PANGO
static void draw_text(const char *text, const sl_pixels *p, sl_box *damage)
{
    sl_item *item = item_of("{'kind':'text','points':[[2500,1500]],'text':'x','style':{'color':"
                            "'#FFFFFF','font_size':3600,'box':true},'in':0,'out':1000}");
    sl_mem_free(item->geo.text);
    item->geo.text = sl_text_dup(text);
    ck_assert_int_eq(sl_item_check(item, NULL), SL_OK);
    sl_shown shown = {item, -1};
    ck_assert_int_eq(sl_render_shown(&shown, 1, FRAME_W, FRAME_H, 5, p, NULL), SL_OK);
    *damage = sl_render_damage(&shown, 1, FRAME_W, FRAME_H, 5, p);
    sl_item_free(item);
}

static void check_inside(const sl_pixels *p, sl_box damage)
{
    sl_pixels plain = pixels(p->width, p->height);
    gradient(&plain);
    size_t changed = 0;
    for (int32_t y = 0; y < p->height; y++) {
        for (int32_t x = 0; x < p->width; x++) {
            bool inside = x >= damage.x0 && x < damage.x1 && y >= damage.y0 && y < damage.y1;
            bool same = pixel(p, x, y) == pixel(&plain, x, y);
            ck_assert(same || inside);
            changed += !same;
        }
    }
    ck_assert_uint_gt(changed, 1000);
    sl_mem_free(plain.data);
}

/* Right to left with a number in it; reordered and combined; marks on marks. */
static const char *const SCRIPTS[][2] = {
    {"arabic", "ارفع المرفق\n٤٥ درجة OK"},
    {"devanagari", "कोहनी ऊँची\nक्षत्रिय स्त्री"},
    {"marks", "E\xCC\x81"
              "pe\xCC\x81"
              "e Ệ\nq\xCC\x83\xCC\x84 שָׁלוֹם"},
};

START_TEST(letters__each_script_looks_as_its_golden_picture)
{
    golden_run g = {.path = "build/golden-scripts.html"};
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof SCRIPTS[0]; i++) {
        char name[64];
        sl_box damage;
        sl_pixels p = pixels(320, 180);
        gradient(&p);
        draw_text(SCRIPTS[i][1], &p, &damage);
        check_inside(&p, damage);
        (void)snprintf(name, sizeof name, "script_%s", SCRIPTS[i][0]);
        golden_check(&g, name, &p);
        sl_mem_free(p.data);
    }
    golden_end(&g);
}
END_TEST

START_TEST(letters__arabic_joins_and_runs_from_right_to_left)
{
    double apart = measure("س").advance + measure("ل").advance + measure("ا").advance;
    ck_assert(measure("سلا").rtl);
    ck_assert(!measure("abc").rtl);
    ck_assert(measure("سلا").advance < 0.95 * apart);
    /* Its first letter is at the right. */
    ck_assert(measure("ا   س").x1 < measure("س   ا").x1 + 100);
    ck_assert_double_eq(measure("ا س").advance, measure("س ا").advance);
}
END_TEST

START_TEST(letters__a_mark_has_no_width_of_its_own)
{
    ck_assert_double_eq(measure("q\xCC\x83").advance, measure("q").advance);
    ck_assert(measure("q\xCC\x83").y0 < measure("q").y0 - 5);
}
END_TEST
#endif

START_TEST(letters__latin_is_set_letter_by_letter)
{
    double sum = measure("A").advance + measure("V").advance;
    ck_assert(fabs(measure("AV").advance - sum) < 0.1);
    sum = measure("f").advance + measure("i").advance;
    ck_assert(fabs(measure("fi").advance - sum) < 0.1);
}
END_TEST

START_TEST(letters__what_was_shaped_is_kept)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(surface);
    (void)measure("kept");
    (void)sl_mem_fail_at(0, false);
    sl_letters small;
    ck_assert(sl_letters_measure("kept", 50, &small));
    ck_assert(sl_letters_path(cr, "kept", 500, 0, 0));
    ck_assert_uint_eq(sl_mem_fail_at(0, false), 0);
    ck_assert_double_eq_tol(small.advance * 2, measure("kept").advance, 1e-9);
    (void)measure("not yet");
    ck_assert_uint_gt(sl_mem_fail_at(0, false), 0);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}
END_TEST

START_TEST(letters__the_longest_line_and_what_is_no_letter_are_measured)
{
    char *line = sl_mem(LINE_MAX_BYTES + 1);
    ck_assert_ptr_nonnull(line);
    memset(line, 'W', LINE_MAX_BYTES);
    sl_letters l = measure(line);
    ck_assert_double_eq_tol(l.advance, LINE_MAX_BYTES * measure("W").advance, 100);
    ck_assert(l.x1 > 0.99 * l.advance);
    sl_mem_free(line);
    ck_assert_double_eq(measure("").advance, 0);
    ck_assert_double_eq(measure("").x1, 0);
    ck_assert_double_eq(measure("  ").x1, 0);
    ck_assert(measure("  ").advance > 0);
    (void)measure("\x01\x02\x7F");
    (void)measure("\xF4\x8F\xBF\xBD \xE2\x80\xAE mirrored \xE2\x80\xA9 next");
}
END_TEST

static void draw_many(void *arg)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(surface);
    for (int i = 0; i < 200; i++) {
        char line[32];
        sl_letters l;
        (void)snprintf(line, sizeof line, "%d of %d", i % 40, *(const int *)arg);
        ck_assert(sl_letters_measure(line, 10, &l));
        ck_assert(sl_letters_path(cr, line, 10, 0, 0));
        ck_assert(l.x1 > l.x0);
        cairo_new_path(cr);
    }
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
}

START_TEST(letters__threads_share_what_is_kept)
{
    int which[4] = {0, 0, 1, 2};
    sl_thread *threads[4];
    for (int i = 0; i < 4; i++) {
        threads[i] = sl_thread_start(draw_many, &which[i]); /* NULL where there are none */
    }
    for (int i = 0; i < 4; i++) {
        sl_thread_join(threads[i]);
    }
    draw_many(&which[0]);
}
END_TEST

START_TEST(letters__every_failed_allocation_is_reported)
{
    bool done = false;
    for (uint64_t k = 1; !done; k++) {
        char line[32];
        sl_letters l;
        (void)snprintf(line, sizeof line, "fails %d", (int)k);
        (void)sl_mem_fail_at(k, true);
        bool ok = sl_letters_measure(line, 10, &l);
        done = sl_mem_fail_at(0, false) < k;
        ck_assert(ok || !done); /* without room to keep it, it is measured all the same */
        ck_assert_uint_lt(k, 100);
    }
}
END_TEST

#ifdef SL_WITH_PANGO
#define SCRIPT_TESTS                                       \
    letters__each_script_looks_as_its_golden_picture,      \
        letters__arabic_joins_and_runs_from_right_to_left, \
        letters__a_mark_has_no_width_of_its_own,
#else
#define SCRIPT_TESTS
#endif

SL_TEST_MAIN_WITH("letters", pin_fonts, keep_fonts,
                  SCRIPT_TESTS letters__latin_is_set_letter_by_letter,
                  letters__what_was_shaped_is_kept,
                  letters__the_longest_line_and_what_is_no_letter_are_measured,
                  letters__threads_share_what_is_kept, letters__every_failed_allocation_is_reported)
