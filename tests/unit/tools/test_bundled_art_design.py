from collections.abc import Callable
from typing import Any

import pytest

from data_pipeline.tools.bundled import art_design as tools

Arguments = tuple[Any, ...]


def part(color: str, parts: int = 1) -> tools.ColorPart:
    return {"color": color, "parts": parts}


def test_blended_colors_are_weighted_means() -> None:
    # Red (3 * 255 + 0) / 4 = 191.25, blue (0 + 255) / 4 = 63.75
    assert tools.blend_weighted_colors([part("red", 3), part("#00f")]) == {"hex": "#bf0040", "rgb": [191, 0, 64]}
    # Three channels of their own: (0 + 2 * 30) / 3, (30 + 2 * 0) / 3, (60 + 2 * 90) / 3
    assert tools.blend_weighted_colors([part("#001e3c"), part("#1e005a", 2)])["rgb"] == [20, 10, 80]
    # Half of 1 and half of 3, half up
    assert tools.blend_weighted_colors([part("black"), part("#010300")])["rgb"] == [1, 2, 0]


def test_blended_colors_refuses() -> None:
    with pytest.raises(ValueError, match="At least 2 colors"):
        tools.blend_weighted_colors([part("red")])
    for parts in (0, 21):
        with pytest.raises(ValueError, match="1 to 20 parts"):
            tools.blend_weighted_colors([part("red"), part("blue", parts)])
    with pytest.raises(ValueError, match="'sparkle' is neither"):
        tools.blend_weighted_colors([part("red"), part("sparkle")])


@pytest.mark.parametrize(
    ("color", "harmony", "palette"),
    [
        # Red has hue 0; 180 is cyan, 120 green, 240 blue, 30 orange, 330 rose.
        ("red", "complementary", ["#ff0000", "#00ffff"]),
        ("#F00", "triadic", ["#ff0000", "#00ff00", "#0000ff"]),
        ("#ff0000", "analogous", ["#ff0080", "#ff0000", "#ff8000"]),
        # 150 is spring green, 210 azure, 90 chartreuse, 270 violet.
        ("red", "split_complementary", ["#ff0000", "#00ff80", "#0080ff"]),
        ("red", "square", ["#ff0000", "#80ff00", "#00ffff", "#8000ff"]),
        # A gray has no hue to turn.
        ("grey", "complementary", ["#808080", "#808080"]),
    ],
)
def test_color_palette(color: str, harmony: Any, palette: list[str]) -> None:
    assert tools.build_color_palette(color, harmony)["palette"] == palette


def test_color_palette_names_its_base() -> None:
    assert tools.build_color_palette(" Navy", "complementary") == {"base": "#000080", "palette": ["#000080", "#808000"]}


@pytest.mark.parametrize("color", ["#12345", "#gg0000", "", "##fff", "reddish"])
def test_color_palette_refuses(color: str) -> None:
    with pytest.raises(ValueError, match="neither a hex code"):
        tools.build_color_palette(color, "triadic")


def test_type_scale_from_largest_to_smallest() -> None:
    # 16 / 1.25 = 12.8, 16 * 1.25 = 20, * 1.25 = 25, * 1.25 = 31.25
    scale = tools.build_type_scale(16, "major_third")
    assert list(scale.items()) == [("h1", 31.25), ("h2", 25.0), ("h3", 20.0), ("body", 16), ("small", 12.8)]


@pytest.mark.parametrize(
    ("ratio", "heading"),
    # 12 * 6 / 5, 12 * 4 / 3, 12 * 1.618034
    [("minor_third", 14.4), ("perfect_fourth", 16.0), ("golden_ratio", 19.42)],
)
def test_type_scale_ratios(ratio: Any, heading: float) -> None:
    scale = tools.build_type_scale(12, ratio, 1)
    assert list(scale) == ["h1", "body", "small"]
    assert scale["h1"] == heading


def test_type_scale_refuses() -> None:
    for size in (5.9, 72.1):
        with pytest.raises(ValueError, match="6 and 72 pixels"):
            tools.build_type_scale(size, "major_third")
    for levels in (0, 7):
        with pytest.raises(ValueError, match="1 to 6 heading levels"):
            tools.build_type_scale(16, "major_third", levels)


def test_color_contrast_from_none_to_the_most() -> None:
    # (1 + 0.05) / (0 + 0.05) = 21
    assert tools.calculate_color_contrast("black", "#FFFFFF") == {
        "contrast_ratio": 21.0,
        "aa_normal_text": True,
        "aa_large_text": True,
        "aaa_normal_text": True,
    }
    assert tools.calculate_color_contrast("teal", "teal")["contrast_ratio"] == 1.0


@pytest.mark.parametrize(
    ("color", "ratio", "levels"),
    [
        # On white: red 1.05 / (0.2126 + 0.05) = 4.0, lime 1.05 / (0.7152 + 0.05) = 1.37,
        ("red", 4.0, (False, True, False)),
        ("lime", 1.37, (False, False, False)),
        # blue 1.05 / (0.0722 + 0.05) = 8.59,
        ("blue", 8.59, (True, True, True)),
        # and gray with ((128/255 + 0.055) / 1.055)^2.4 = 0.2159: 1.05 / 0.2659 = 3.95.
        ("gray", 3.95, (False, True, False)),
    ],
)
def test_color_contrast_on_white(color: str, ratio: float, levels: tuple[bool, ...]) -> None:
    found = tools.calculate_color_contrast(color, "white")
    assert found == tools.calculate_color_contrast("white", color)
    assert tuple(found.values()) == (ratio, *levels)


def test_color_contrast_between_the_levels() -> None:
    # #666666 is 0.4 of white, which gives ((0.4 + 0.055) / 1.055)^2.4 = 0.1329: 1.05 / 0.1829 = 5.74
    assert tuple(tools.calculate_color_contrast("#666", "white").values()) == (5.74, True, True, False)
    # #0a0a0a is on the straight part of the curve: 10 / 255 / 12.92 = 0.003035; 1.05 / 0.053035 = 19.8
    assert tools.calculate_color_contrast("#0a0a0a", "white")["contrast_ratio"] == 19.8


@pytest.mark.parametrize(
    ("level", "met", "missed"),
    # The lightest grays that meet a level on white are those that designers know.
    [
        ("aa_normal_text", "#767676", "#777777"),
        ("aa_large_text", "#949494", "#959595"),
        ("aaa_normal_text", "#595959", "#5a5a5a"),
    ],
)
def test_color_contrast_at_each_level(level: str, met: str, missed: str) -> None:
    assert tools.calculate_color_contrast(met, "white")[level] is True
    assert tools.calculate_color_contrast(missed, "white")[level] is False


def test_color_contrast_refuses() -> None:
    for pair in (("sparkle", "white"), ("white", "sparkle")):
        with pytest.raises(ValueError, match="'sparkle'"):
            tools.calculate_color_contrast(*pair)


def test_picture_frame_from_the_inside_out() -> None:
    # The mat covers 0.5 cm at each edge: 29 by 39; 5 cm of mat: 39 by 49; 2 cm of moulding: 43 by 53.
    assert tools.calculate_picture_frame(30, 40, 5) == {
        "mat_opening_cm": [29, 39],
        "mat_cm": [39, 49],
        "frame_cm": [43, 53],
    }
    # 41.1 - 1 + 2 * 2.25 + 2 * 1.5 = 47.6
    assert tools.calculate_picture_frame(41.1, 20, 2.25, 1.5)["frame_cm"] == [47.6, 26.5]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((4.9, 40, 5, 2), "picture"),
        ((30, 300.1, 5, 2), "picture"),
        ((30, 40, 0.9, 2), "mat border"),
        ((30, 40, 31, 2), "mat border"),
        ((30, 40, 5, 0.4), "moulding"),
        ((30, 40, 5, 16), "moulding"),
    ],
)
def test_picture_frame_refuses(args: tuple[float, float, float, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_picture_frame(*args)


def test_print_size() -> None:
    # 3000 / 300 = 10 inches = 25.4 cm; 1500 / 300 = 5 inches = 12.7 cm; 3000 * 1500 = 4.5 million
    assert tools.calculate_print_size(3000, 1500) == {"width_cm": 25.4, "height_cm": 12.7, "megapixels": 4.5}
    # 1500 / 150 = 10 inches
    assert tools.calculate_print_size(1500, 1500, 150)["height_cm"] == 25.4


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((499, 1000, 300), "500 to 20000 pixels"),
        ((1000, 20_001, 300), "500 to 20000 pixels"),
        ((1000, 1000, 71), "72 and 1200"),
        ((1000, 1000, 1201), "72 and 1200"),
    ],
)
def test_print_size_refuses(args: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.calculate_print_size(*args)


@pytest.mark.parametrize(
    ("letter", "number", "size"),
    # Sizes as the standards list them.
    [
        ("A", 0, (841, 1189)),
        ("A", 4, (210, 297)),
        ("A", 10, (26, 37)),
        ("B", 5, (176, 250)),
        ("C", 6, (114, 162)),
    ],
)
def test_paper_sizes(letter: Any, number: int, size: tuple[int, int]) -> None:
    found = tools.find_paper_size(letter, number)
    assert (found["name"], found["width_mm"], found["height_mm"]) == (f"{letter}{number}", *size)


def test_paper_size_in_landscape() -> None:
    # 210 * 297 = 62370 square millimeters
    assert tools.find_paper_size("A", 4, landscape=True) == {
        "name": "A4",
        "width_mm": 297,
        "height_mm": 210,
        "area_cm2": 623.7,
    }


@pytest.mark.parametrize("number", [-1, 11])
def test_paper_size_refuses(number: int) -> None:
    with pytest.raises(ValueError, match=f"not {number}"):
        tools.find_paper_size("A", number)


def test_pictures_have_equal_gaps() -> None:
    # (360 - 40 - 60 - 20) / 4 = 60; edges at 60, 60 + 40 + 60 = 160 and 160 + 60 + 60 = 280
    assert tools.space_wall_pictures([40, 60, 20], 360) == {"gap_cm": 60.0, "left_edges_cm": [60.0, 160.0, 280.0]}
    # Three of 100 cm fill the wall.
    assert tools.space_wall_pictures([100.1, 100.2, 99.7], 300)["gap_cm"] == 0.0
    assert tools.space_wall_pictures([100, 100, 100], 300) == {"gap_cm": 0.0, "left_edges_cm": [0.0, 100.0, 200.0]}


@pytest.mark.parametrize(
    ("widths", "wall", "message"),
    [
        ([], 360, "1 to 20 pictures"),
        ([10] * 21, 360, "1 to 20 pictures"),
        ([4.9], 360, "5 to 120"),
        ([121], 360, "5 to 120"),
        ([50], 299, "300 and 1500"),
        ([50], 1501, "300 and 1500"),
        ([120, 120, 61.5], 300, "1.5 centimeters wider"),
    ],
)
def test_pictures_refuse(widths: list[float], wall: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.space_wall_pictures(widths, wall)


def test_sizes_are_rounded() -> None:
    assert tools.calculate_picture_frame(30.001, 40, 5)["mat_opening_cm"] == [29.0, 39.0]
    # 1001 / 300 * 2.54 = 8.475, 1150 / 300 * 2.54 = 9.737 and 1001 * 1150 = 1151150
    assert tools.calculate_print_size(1001, 1150) == {"width_cm": 8.5, "height_cm": 9.7, "megapixels": 1.2}
    # 200 / 3 = 66.667, and 66.667 * 2 + 50 = 183.333
    assert tools.space_wall_pictures([50, 50], 300) == {"gap_cm": 66.7, "left_edges_cm": [66.7, 183.3]}
    # 17 / 1.2 = 14.1667
    assert tools.build_type_scale(17, "minor_third")["small"] == 14.17


@pytest.mark.parametrize(
    ("tool", "lowest", "highest"),
    [
        (tools.blend_weighted_colors, ([part("red", 1)] * 2,), ([part("red", 20)] * 2,)),
        (tools.build_type_scale, (6, "major_third", 1), (72, "major_third", 6)),
        (tools.calculate_picture_frame, (5, 5, 1, 0.5), (300, 300, 30, 15)),
        (tools.calculate_print_size, (500, 500, 72), (20_000, 20_000, 1200)),
        (tools.find_paper_size, ("A", 0), ("A", 10)),
        (tools.space_wall_pictures, ([5], 300), ([5] * 19 + [120], 1500)),
    ],
)
def test_the_limits_belong_to_the_range(tool: Callable[..., Any], lowest: Arguments, highest: Arguments) -> None:
    for limits in (lowest, highest):
        tool(*limits)
