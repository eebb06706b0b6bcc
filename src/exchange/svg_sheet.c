/* exchange/svg_sheet.c - what an SVG's elements refer to: rules of style sheets, gradients, ids. */
#include "exchange/inside.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum {
    RULES_MAX = 512, /* more are left out: each is tried for every element */
    CHAIN_MAX = 8    /* gradients that take their stops from others */
};

/* One selector with what it sets; both lie in the sheet's text. */
struct sl_rule {
    const char *selector;
    size_t selector_len;
    const char *set;
    size_t set_len;
    uint32_t weight; /* of ids, classes, names */
    uint32_t order;
};

static int by_id(const void *a, const void *b)
{
    const sl_xml *x = *(const sl_xml *const *)a;
    const sl_xml *y = *(const sl_xml *const *)b;
    return strcmp(sl_xml_attribute(x, "id"), sl_xml_attribute(y, "id"));
}

static int by_weight(const void *a, const void *b)
{
    const sl_rule *x = a;
    const sl_rule *y = b;
    int heavier = (x->weight > y->weight) - (x->weight < y->weight);
    return heavier != 0 ? heavier : (x->order > y->order) - (x->order < y->order);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **s, size_t *n)
{
    while (*n > 0 && is_blank(**s)) {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && is_blank((*s)[*n - 1])) {
        (*n)--;
    }
}

/* How much a selector weighs; 0: it is not one of names, classes and ids of one element. */
static uint32_t weight_of(const char *s, size_t n)
{
    uint32_t weight = n > 0 ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        bool name = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') ||
                    (s[i] >= '0' && s[i] <= '9') || s[i] == '-' || s[i] == '_' ||
                    (uint8_t)s[i] >= 0x80;
        if (s[i] == '#') {
            weight += 1 << 20;
        } else if (s[i] == '.') {
            weight += 1 << 10;
        } else if (!name && (s[i] != '*' || i > 0)) {
            return 0;
        } else if (i == 0 && name) {
            weight++;
        }
    }
    return weight;
}

/* The rule's selectors, between commas. */
static void add_rules(sl_sheet *sheet, const char *s, size_t n, const char *set, size_t set_len)
{
    for (const char *end = s + n; s <= end;) {
        const char *comma = memchr(s, ',', (size_t)(end - s));
        const char *one = s;
        size_t len = (size_t)((comma != NULL ? comma : end) - s);
        trim(&one, &len);
        uint32_t weight = weight_of(one, len);
        if (weight > 0 && sheet->rules_n < RULES_MAX) {
            sheet->rules[sheet->rules_n] =
                (sl_rule){one, len, set, set_len, weight, (uint32_t)sheet->rules_n};
            sheet->rules_n++;
        } else {
            sheet->left_out++;
        }
        s = comma != NULL ? comma + 1 : end + 1;
    }
}

/* Past the block that begins at or after s. */
static const char *past_block(const char *s)
{
    int depth = 0;
    for (; *s != 0; s++) {
        depth += *s == '{';
        if (*s == '}' && --depth <= 0) {
            return s + 1;
        }
        if (*s == ';' && depth == 0) {
            return s + 1;
        }
    }
    return s;
}

static void read_rules(sl_sheet *sheet, const char *s)
{
    while (*s != 0) {
        s += strspn(s, " \t\r\n");
        if (*s == '@') { /* a font, an import, another medium */
            sheet->left_out++;
            s = past_block(s);
            continue;
        }
        const char *open = strchr(s, '{');
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            return;
        }
        add_rules(sheet, s, (size_t)(open - s), open + 1, (size_t)(close - open - 1));
        s = close + 1;
    }
}

/* All style sheets, one behind the other and without comments. */
static void put_sheet(sl_buf *out, const char *s)
{
    while (*s != 0) {
        const char *comment = strstr(s, "/*");
        sl_buf_put(out, s, comment != NULL ? (size_t)(comment - s) : strlen(s));
        const char *end = comment != NULL ? strstr(comment + 2, "*/") : NULL;
        if (end == NULL) {
            break;
        }
        s = end + 2;
    }
    sl_buf_u8(out, '\n');
}

bool sl_sheet_read(sl_sheet *sheet, const sl_xml *root)
{
    size_t ids = 0;
    memset(sheet, 0, sizeof *sheet);
    for (const sl_xml *x = root; x != NULL; x = sl_xml_walk(root, x)) {
        ids += sl_xml_attribute(x, "id") != NULL;
        if (sl_xml_is(x, "style")) {
            put_sheet(&sheet->text, x->text);
        }
    }
    sheet->ids = sl_mem_array(ids, sizeof(const sl_xml *));
    sheet->rules = sl_mem_array(sheet->text.len > 0 ? RULES_MAX : 0, sizeof *sheet->rules);
    const char *text = sl_buf_text(&sheet->text);
    if (sheet->ids == NULL || sheet->rules == NULL || sheet->text.failed || text == NULL) {
        sl_sheet_free(sheet);
        return false;
    }
    for (const sl_xml *x = root; x != NULL; x = sl_xml_walk(root, x)) {
        if (sl_xml_attribute(x, "id") != NULL) {
            sheet->ids[sheet->ids_n++] = x;
        }
    }
    qsort(sheet->ids, sheet->ids_n, sizeof(const sl_xml *), by_id);
    if (sheet->text.len > 0) {
        read_rules(sheet, text);
    }
    qsort(sheet->rules, sheet->rules_n, sizeof *sheet->rules, by_weight);
    return true;
}

void sl_sheet_free(sl_sheet *sheet)
{
    sl_mem_free(sheet->ids);
    sl_mem_free(sheet->rules);
    sl_buf_free(&sheet->text);
    memset(sheet, 0, sizeof *sheet);
}

static const sl_xml *find(const sl_sheet *sheet, const char *id, size_t n)
{
    size_t from = 0;
    size_t to = sheet->ids_n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const char *at = sl_xml_attribute(sheet->ids[middle], "id");
        int order = strncmp(at, id, n);
        order = order == 0 && at[n] != 0 ? 1 : order;
        if (order == 0) {
            return sheet->ids[middle];
        }
        from = order < 0 ? middle + 1 : from;
        to = order < 0 ? to : middle;
    }
    return NULL;
}

const sl_xml *sl_sheet_target(const sl_sheet *sheet, const sl_xml *x)
{
    const char *to = sl_xml_attribute(x, "href");
    to = to != NULL ? to : sl_xml_attribute(x, "xlink:href");
    return to != NULL && *to == '#' ? find(sheet, to + 1, strlen(to + 1)) : NULL;
}

static bool has_class(const sl_xml *x, const char *name, size_t n)
{
    const char *list = sl_xml_attribute(x, "class");
    while (list != NULL && *list != 0) {
        list += strspn(list, " \t\r\n");
        size_t len = strcspn(list, " \t\r\n");
        if (len == n && memcmp(list, name, n) == 0) {
            return true;
        }
        list += len;
    }
    return false;
}

static bool is_meant(const sl_rule *r, const sl_xml *x)
{
    const char *s = r->selector;
    const char *end = s + r->selector_len;
    while (s < end) {
        char what = *s;
        const char *name = what == '.' || what == '#' ? s + 1 : s;
        s = name;
        while (s < end && *s != '.' && *s != '#') {
            s++;
        }
        size_t n = (size_t)(s - name);
        const char *own = what == '#' ? sl_xml_attribute(x, "id") : x->name;
        bool same = own != NULL && strlen(own) == n && memcmp(own, name, n) == 0;
        if (what == '.' ? !has_class(x, name, n) : what != '*' && !same) {
            return false;
        }
    }
    return true;
}

void sl_sheet_each(const sl_sheet *sheet, const sl_xml *x,
                   void (*tell)(void *user, const char *set, size_t n), void *user)
{
    for (size_t i = 0; i < sheet->rules_n; i++) {
        if (is_meant(&sheet->rules[i], x)) {
            tell(user, sheet->rules[i].set, sheet->rules[i].set_len);
        }
    }
}

/* The element of "url(#id)", whatever its quotes. */
static const sl_xml *target_of_url(const sl_sheet *sheet, const char *value)
{
    const char *id = value + 4; /* past "url(" */
    id += strspn(id, " '\"");
    return *id == '#' ? find(sheet, id + 1, strcspn(id + 1, " '\")")) : NULL;
}

/* The mean of a gradient's stops, each as much as it covers; -1: there are none to be seen. */
static int32_t mean_color(sl_sheet *sheet, const sl_xml *gradient)
{
    double sum[3] = {0, 0, 0};
    double all = 0;
    for (int i = 0; i < CHAIN_MAX && gradient != NULL && sl_xml_child(gradient, "stop") == NULL;
         i++) {
        gradient = sl_sheet_target(sheet, gradient);
    }
    for (const sl_xml *x = gradient != NULL ? gradient->first : NULL; x != NULL; x = x->next) {
        double covers = 1;
        int32_t rgb = sl_xml_is(x, "stop") ? sl_look_stop(sheet, x, &covers) : -1;
        for (int i = 0; rgb >= 0 && i < 3; i++) {
            sum[i] += covers * (rgb >> (16 - 8 * i) & 0xFF);
        }
        all += rgb >= 0 ? covers : 0;
    }
    if (!(all > 0)) {
        return -1;
    }
    int32_t mean = 0;
    for (int i = 0; i < 3; i++) {
        mean = mean * 256 + sl_import_size(sum[i] / all, 0, 255);
    }
    return mean;
}

/* The mean of what a pattern's shapes are filled or drawn with; -1: there are none. Colours alone are
 * looked at, so that patterns of patterns end. */
static int32_t pattern_color(const sl_xml *pattern)
{
    double sum[3] = {0, 0, 0};
    double n = 0;
    for (const sl_xml *x = pattern->first; x != NULL; x = x->next) {
        const char *fill = sl_xml_attribute(x, "fill");
        const char *stroke = sl_xml_attribute(x, "stroke");
        int32_t rgb = fill != NULL ? sl_css_color(fill) : stroke != NULL ? -1 : 0;
        rgb = rgb < 0 && stroke != NULL ? sl_css_color(stroke) : rgb;
        for (int i = 0; rgb >= 0 && i < 3; i++) {
            sum[i] += rgb >> (16 - 8 * i) & 0xFF;
        }
        n += rgb >= 0;
    }
    int32_t mean = n > 0 ? 0 : -1;
    for (int i = 0; n > 0 && i < 3; i++) {
        mean = mean * 256 + sl_import_size(sum[i] / n, 0, 255);
    }
    return mean;
}

int32_t sl_sheet_paint(sl_sheet *sheet, const char *value)
{
    value += strspn(value, " \t\r\n");
    if (strncmp(value, "url(", 4) != 0) {
        return sl_css_color(value);
    }
    if (sheet->mixing) {
        return -1; /* a stop is not painted: gradients of gradients might not end */
    }
    const sl_xml *x = target_of_url(sheet, value);
    if (x != NULL && (sl_xml_is(x, "linearGradient") || sl_xml_is(x, "radialGradient"))) {
        sheet->gradients++;
        sheet->mixing = true;
        int32_t mean = mean_color(sheet, x);
        sheet->mixing = false;
        return mean;
    }
    const char *otherwise = strchr(value, ')');
    int32_t rgb = otherwise != NULL ? sl_css_color(otherwise + 1) : -1;
    if (x != NULL && sl_xml_is(x, "pattern")) {
        sheet->patterns++;
        rgb = rgb < 0 ? pattern_color(x) : rgb;
    }
    return rgb;
}
