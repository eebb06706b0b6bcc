#include "unit/exchange/read.h"

#include "annotation/tool.h"
#include "base/buf.h"

START_TEST(kva__a_key_image_is_a_bookmark_and_its_drawings_fade_around_it)
{
    sl_import im = read_ok(
        SL_FORMAT_KVA,
        KVA_KEY(
            "<Line><Start>100;50</Start><End>200;60</End><DrawingStyle><Color Key='color'><Value>"
            "128;255;51;0</Value></Color><LineSize><Value>5</Value></LineSize><Arrows><Value>"
            "Round;ArrowAnchor</Value></Arrows></DrawingStyle><InfosFading><Frames>10</Frames>"
            "<AlwaysVisible>false</AlwaysVisible></InfosFading></Line>"));
    ck_assert_uint_eq(im.n, 2);
    ck_assert_int_eq(im.items[0]->geo.kind, SL_KIND_BOOKMARK);
    ck_assert_str_eq(im.items[0]->geo.text, "top");
    ck_assert_int_eq(im.items[0]->t_in, 1000000);
    const sl_item *line = im.items[1];
    ck_assert_int_eq(line->geo.kind, SL_KIND_ARROW);
    at(line, 0, 200, 100);
    at(line, 1, 400, 120);
    ck_assert_int_eq(line->style.rgb, 0xFF3300);
    ck_assert_int_eq(line->style.opacity, 501);
    ck_assert_int_eq(line->style.width, 171);
    ck_assert_int_eq(line->t_in, 800000);
    ck_assert_int_eq(line->t_out, 1220000);
    ck_assert_int_eq(line->fade_us, 200000);
    sl_import_clear(&im);
}
END_TEST

START_TEST(kva__each_drawing_of_kinovea_has_its_tool)
{
    static const struct {
        const char *xml;
        sl_kind kind;
        uint32_t n;
    } cases[] = {
        {"<Pencil><PointList><Point>1;2</Point><Point>3;4.5</Point></PointList></Pencil>",
         SL_KIND_PEN, 2},
        {"<Circle><Origin>100;100</Origin><Radius>20</Radius></Circle>", SL_KIND_ELLIPSE, 2},
        {"<CrossMark><CenterPoint>9;9</CenterPoint></CrossMark>", SL_KIND_MARKER, 1},
        {"<Angle><PointO>1;1</PointO><PointA>9;1</PointA><PointB>1;9</PointB></Angle>",
         SL_KIND_ANGLE, 3},
        {"<Label><Text>knee</Text><Position>5;5</Position></Label>", SL_KIND_TEXT, 1},
        {"<Plane><PointUpperLeft>1;1</PointUpperLeft><PointUpperRight>9;1</PointUpperRight>"
         "<PointLowerRight>9;9</PointLowerRight><PointLowerLeft>1;9</PointLowerLeft></Plane>",
         SL_KIND_PERSPECTIVE, 4},
        {"<Line><Start>1;1</Start><End>9;9</End><MeasureVisible>true</MeasureVisible></Line>",
         SL_KIND_RULER, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sl_buf b = {0};
        sl_buf_fmt(&b,
                   KVA_HEAD "<Keyframes><Keyframe><Position>55000</Position><Drawings>%s"
                            "</Drawings></Keyframe></Keyframes></KinoveaVideoAnalysis>",
                   cases[i].xml);
        sl_import im = read_ok(SL_FORMAT_KVA, sl_buf_text(&b));
        ck_assert_uint_eq(im.n, 2);
        ck_assert_str_eq(sl_kind_name(im.items[1]->geo.kind), sl_kind_name(cases[i].kind));
        ck_assert_uint_eq(im.items[1]->geo.n, cases[i].n);
        sl_import_clear(&im);
        sl_buf_free(&b);
    }
    sl_import im =
        read_ok(SL_FORMAT_KVA, KVA_KEY("<Spotlight/><Circle><Radius>5</Radius></Circle>"));
    ck_assert_uint_eq(im.n, 1);
    ck_assert_uint_eq(im.skipped, 2);
    sl_import_clear(&im);
}
END_TEST

START_TEST(kva__a_trajectory_a_chronometer_and_the_calibration_are_kept)
{
    sl_import im = read_ok(
        SL_FORMAT_KVA, KVA_HEAD
        "<CalibrationHelp><PixelToUnit>0.01</PixelToUnit><LengthUnit UserUnitLength='m'>1</LengthUnit>"
        "</CalibrationHelp><Chronos><Chrono><Position>10;20</Position><Values><Visible>5000</Visible>"
        "<StartCounting>30000</StartCounting><StopCounting>-1</StopCounting><Invisible>-1</Invisible>"
        "</Values></Chrono></Chronos><Tracks><Track><TimePosition>55000</TimePosition>"
        "<TrackPointList><TrackPoint>10;10;0</TrackPoint><TrackPoint>20;10;1000</TrackPoint>"
        "<TrackPoint>30;10;3000</TrackPoint></TrackPointList></Track></Tracks>"
        "</KinoveaVideoAnalysis>");
    ck_assert_uint_eq(im.n, 3);
    ck_assert_int_eq(im.items[0]->geo.kind, SL_KIND_RULER);
    ck_assert_int_eq(im.items[0]->style.length, 1920); /* 192 pixels of 0.01 m */
    ck_assert_str_eq(im.items[0]->style.unit, "m");
    ck_assert_int_eq(im.items[1]->geo.kind, SL_KIND_STOPWATCH);
    ck_assert_int_eq(im.items[1]->t_in, 500000);
    ck_assert_int_eq(im.items[2]->geo.kind, SL_KIND_PATH);
    ck_assert_int_eq(im.items[2]->t_in, 1000000);
    ck_assert_uint_eq(im.items[2]->geo.dt_ms[2], 60);
    at(im.items[2], 2, 60, 20);
    sl_import_clear(&im);
}
END_TEST

START_TEST(kva__spotlights_numbers_sections_and_divisions_of_newer_files_are_kept)
{
    sl_import im = read_ok(
        SL_FORMAT_KVA, KVA_HEAD
        "<Keyframes><Keyframe><Position>5000</Position><Drawings><Plane><PointUpperLeft>0;0"
        "</PointUpperLeft><PointUpperRight>9;0</PointUpperRight><PointLowerRight>9;9"
        "</PointLowerRight><PointLowerLeft>0;9</PointLowerLeft><DrawingStyle><GridDivisions>"
        "<Value>7</Value></GridDivisions></DrawingStyle></Plane></Drawings></Keyframe></Keyframes>"
        "<Chronos><ChronoMulti><Position>1;1</Position><Values><Visible>5000</Visible><Invisible>-1"
        "</Invisible><Sections><Section name='a'>30000;40000</Section><Section>50000;-1</Section>"
        "</Sections></Values></ChronoMulti><Counter><Position>1;1</Position></Counter></Chronos>"
        "<Spotlights><Spotlight><Time>55000</Time><Center>100;50</Center><Radius>10</Radius>"
        "</Spotlight><Spotlight><Time>55000</Time></Spotlight></Spotlights><NumberSequence>"
        "<DrawingStyle><Color Key='back color'><Value>255;0;255;0</Value></Color></DrawingStyle>"
        "<AutoNumber id='x'><Time>55000</Time><Location>10;20</Location><Value>12</Value>"
        "</AutoNumber></NumberSequence></KinoveaVideoAnalysis>");
    ck_assert_uint_eq(im.n, 6);
    ck_assert_uint_eq(im.skipped, 1);
    ck_assert_int_eq(im.items[1]->style.rows, 7);
    ck_assert_int_eq(im.items[1]->style.cols, 7);
    ck_assert_int_eq(im.items[2]->geo.kind, SL_KIND_STOPWATCH);
    ck_assert_int_eq(im.items[2]->t_in, 500000);
    ck_assert_int_eq(im.items[3]->geo.kind, SL_KIND_COUNTER);
    ck_assert_int_eq(im.items[3]->style.value, 0);
    ck_assert_int_eq(im.items[4]->geo.kind, SL_KIND_SPOTLIGHT);
    at(im.items[4], 0, 180, 80);
    at(im.items[4], 1, 220, 120);
    ck_assert_int_lt(im.items[4]->t_in, 1000000);
    ck_assert_int_gt(im.items[4]->t_out, 1000000);
    ck_assert_int_eq(im.items[5]->geo.kind, SL_KIND_MARKER);
    ck_assert_int_eq(im.items[5]->style.value, 12);
    ck_assert_int_eq(im.items[5]->style.rgb, 0x00FF00);
    sl_import_clear(&im);
}
END_TEST

START_TEST(kva__a_counter_of_kinovea_is_one_for_each_count)
{
    sl_import im = read_ok(
        SL_FORMAT_KVA, KVA_HEAD
        "<Chronos><Counter><Position>10;20</Position><Values><Visible>5000</Visible><Invisible>155000"
        "</Invisible><Beats><Beat>30000</Beat><Beat>55000</Beat><Beat>54000</Beat><Beat>160000</Beat>"
        "</Beats></Values></Counter><Counter><Position>1;1</Position><Values><Invisible>-1</Invisible>"
        "<Beats><Beat>5000</Beat></Beats><ZeroBased>true</ZeroBased></Values></Counter></Chronos>"
        "</KinoveaVideoAnalysis>");
    ck_assert_uint_eq(im.n, 3);
    ck_assert_uint_eq(im.skipped, 2); /* beats that come before the last one, or after the end */
    ck_assert_int_eq(im.items[0]->geo.kind, SL_KIND_COUNTER);
    ck_assert_int_eq(im.items[0]->style.value, 1);
    ck_assert_int_eq(im.items[0]->t_in, 500000);
    ck_assert_int_eq(im.items[0]->t_out, 1000000);
    at(im.items[0], 0, 20, 40);
    ck_assert_int_eq(im.items[1]->style.value, 3);
    ck_assert_int_eq(im.items[1]->t_in, 980000);
    ck_assert_int_eq(im.items[1]->t_out, 3000000);
    ck_assert_int_eq(im.items[2]->style.value, 0);
    ck_assert_int_eq(im.items[2]->t_in, 0);
    ck_assert_int_eq(im.items[2]->t_out, SL_ITEM_US_MAX);
    sl_import_clear(&im);
}
END_TEST

static sl_import posture(const char *tool, int points)
{
    sl_buf b = {0};
    sl_buf_fmt(&b,
               KVA_HEAD "<Keyframes><Keyframe><Position>55000</Position><Drawings><GenericPosture>"
                        "<ToolId>%s</ToolId><Positions>",
               tool);
    for (int i = 0; i < points; i++) {
        sl_buf_fmt(&b, "<Point>%d;%d</Point>", 10 + i, 100 + 2 * i);
    }
    sl_buf_str(&b, "</Positions></GenericPosture></Drawings></Keyframe></Keyframes>"
                   "</KinoveaVideoAnalysis>");
    sl_import im = read_ok(SL_FORMAT_KVA, sl_buf_text(&b));
    sl_buf_free(&b);
    return im;
}

START_TEST(kva__a_posture_of_a_body_is_a_figure_and_any_other_a_line)
{
    sl_import im = posture("5723BACC-91B0-4172-8EA0-0BF2A5A27EDA", 20);
    ck_assert_uint_eq(im.n, 2);
    const sl_item *figure = im.items[1];
    ck_assert_int_eq(figure->geo.kind, SL_KIND_FIGURE);
    at(figure, SL_JOINT_HEAD, 21, 202); /* between vertex and chin */
    at(figure, SL_JOINT_SHOULDER_L, 24, 208);
    at(figure, SL_JOINT_ANKLE_R, 54, 268);
    sl_import_clear(&im);
    im = posture("a9ce7c83-4120-4400-8b20-b6f034213522", 25);
    ck_assert_int_eq(im.items[1]->geo.kind, SL_KIND_FIGURE);
    at(im.items[1], SL_JOINT_HEAD, 20, 200);
    at(im.items[1], SL_JOINT_SHOULDER_R, 24, 208);
    sl_import_clear(&im);
    im = posture("a9ce7c83-4120-4400-8b20-b6f034213522", 24); /* not what the tool has */
    ck_assert_int_eq(im.items[1]->geo.kind, SL_KIND_POLYLINE);
    ck_assert_uint_eq(im.items[1]->geo.n, 24);
    sl_import_clear(&im);
    im = posture("02ea93f9-ba00-424b-8c87-07e156e0252f", 4);
    ck_assert_int_eq(im.items[1]->geo.kind, SL_KIND_ANGLE);
    at(im.items[1], 1, 22, 204);
    sl_import_clear(&im);
    im = posture("00000000-0000-0000-0000-000000000000", 1);
    ck_assert_uint_eq(im.n, 1);
    ck_assert_uint_eq(im.skipped, 1);
    sl_import_clear(&im);
}
END_TEST

START_TEST(kva__each_tracked_point_of_a_drawing_is_a_path_over_its_times)
{
    sl_import im = read_ok(
        SL_FORMAT_KVA, KVA_HEAD
        "<Trackability><TrackableDrawing id='x' tracking='true'><TrackablePoint key='a'>"
        "<CurrentValue>9;9</CurrentValue><Timeline><Frame time='55000' location='10;10' source='Manual'/>"
        "<Frame time='56000' location='20;10'/><Frame time='58000' location='30;10'/></Timeline>"
        "</TrackablePoint><TrackablePoint key='b'><Timeline/></TrackablePoint><TrackablePoint key='c'>"
        "<Timeline><Frame time='55000'/></Timeline></TrackablePoint></TrackableDrawing></Trackability>"
        "</KinoveaVideoAnalysis>");
    ck_assert_uint_eq(im.n, 1);
    ck_assert_uint_eq(im.skipped, 1);
    ck_assert_int_eq(im.items[0]->geo.kind, SL_KIND_PATH);
    ck_assert_int_eq(im.items[0]->t_in, 1000000);
    ck_assert_uint_eq(im.items[0]->geo.dt_ms[1], 20);
    ck_assert_uint_eq(im.items[0]->geo.dt_ms[2], 60);
    at(im.items[0], 2, 60, 20);
    sl_import_clear(&im);
}
END_TEST

SL_TEST_MAIN("kva", kva__a_key_image_is_a_bookmark_and_its_drawings_fade_around_it,
             kva__each_drawing_of_kinovea_has_its_tool,
             kva__a_trajectory_a_chronometer_and_the_calibration_are_kept,
             kva__spotlights_numbers_sections_and_divisions_of_newer_files_are_kept,
             kva__a_counter_of_kinovea_is_one_for_each_count,
             kva__a_posture_of_a_body_is_a_figure_and_any_other_a_line,
             kva__each_tracked_point_of_a_drawing_is_a_path_over_its_times)
