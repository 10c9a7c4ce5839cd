"""Art and design: colors, typography, paper, printing, framing and hanging."""

import colorsys
import re
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "blend_weighted_colors",
    "build_color_palette",
    "build_type_scale",
    "calculate_color_contrast",
    "calculate_picture_frame",
    "calculate_print_size",
    "find_paper_size",
    "space_wall_pictures",
]

_NAMED_COLORS = {
    "black": "#000000", "white": "#ffffff", "gray": "#808080", "silver": "#c0c0c0", "charcoal": "#36454f",
    "red": "#ff0000", "crimson": "#dc143c", "maroon": "#800000", "pink": "#ffc0cb", "magenta": "#ff00ff",
    "orange": "#ffa500", "gold": "#ffd700", "yellow": "#ffff00", "brown": "#a52a2a", "beige": "#f5f5dc",
    "green": "#008000", "lime": "#00ff00", "olive": "#808000", "teal": "#008080", "turquoise": "#40e0d0",
    "cyan": "#00ffff", "blue": "#0000ff", "navy": "#000080", "indigo": "#4b0082", "violet": "#ee82ee",
    "purple": "#800080",
}  # fmt: skip
_HUE_STEPS = {
    "complementary": (0, 180),
    "analogous": (-30, 0, 30),
    "triadic": (0, 120, 240),
    "split_complementary": (0, 150, 210),
    "square": (0, 90, 180, 270),
}
_SCALE_RATIOS = {"minor_third": 6 / 5, "major_third": 5 / 4, "perfect_fourth": 4 / 3, "golden_ratio": 1.618034}
_PAPER_MM = {"A": (841, 1189), "B": (1000, 1414), "C": (917, 1297)}  # of number 0, ISO 216 and 269
_MAT_OVERLAP_CM = 0.5  # what the mat covers of the picture at each edge


class ColorPart(TypedDict):
    """A color and how much of it there is."""

    color: Annotated[str, Field(description="Name or hex code of the color", examples=["navy", "white", "#e07a5f"])]
    parts: Annotated[int, Field(ge=1, le=20, description="Parts of the color")]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _rgb(color: str) -> tuple[int, int, int]:
    """Read a color given as #rgb, #rrggbb or a name."""
    name = color.strip().lower()
    digits = _NAMED_COLORS.get(name.replace("grey", "gray"), name).removeprefix("#")
    known = re.fullmatch(r"[0-9a-f]{3}|[0-9a-f]{6}", digits)
    _require(known is not None, f"{color!r} is neither a hex code such as #1f77b4 nor a known color name.")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _luminance(color: str) -> float:
    """Return the relative luminance of a color as WCAG 2 defines it."""
    shares = (channel / 255 for channel in _rgb(color))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _half_up(channel: float) -> int:
    """Round a channel, so that a tie such as 127.5 does not depend on how a float comes out."""
    return int(round(channel, 6) + 0.5)


def _hex(*channels: int) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def blend_weighted_colors(colors: Annotated[list[ColorPart], Field(min_length=2)]) -> dict[str, str | list[int]]:
    """Blend several colors into one by their number of parts.

    Queries:
        What color comes out if I mix these: {colors}
        I'm using up leftover paint on a shelf. Which shade do I end up with from these: {colors}
        Mix the following colors in these amounts and give me the hex code: {colors}
        Hex code of a mixture of these: {colors}

    Args:
        colors: Colors to blend

    Returns:
        The blended color as hex code and as red, green and blue.

    Raises:
        ValueError: If there are fewer than 2 colors, one is unknown or has no parts.
    """
    _require(len(colors) >= 2, "At least 2 colors are needed.")
    _require(all(1 <= entry["parts"] <= 20 for entry in colors), "Each color needs 1 to 20 parts.")
    whole = sum(entry["parts"] for entry in colors)
    columns = zip(*([entry["parts"] * channel for channel in _rgb(entry["color"])] for entry in colors), strict=True)
    blended = [_half_up(sum(column) / whole) for column in columns]
    return {"hex": _hex(*blended), "rgb": blended}


def build_color_palette(
    base_color: Annotated[str, Field(examples=["#2a9d8f", "#e76f51", "indigo"])],
    harmony: Literal["complementary", "analogous", "triadic", "split_complementary", "square"],
) -> dict[str, str | list[str]]:
    """Build a color palette that is in harmony with a base color.

    Queries:
        What is the {harmony} scheme for {base_color}?
        Our logo is {base_color}. Which colors match it by the {harmony} rule?
        Give me {harmony} colors to go with {base_color}.
        I need a palette built on {base_color}, {harmony} please.

    Args:
        base_color: Name or hex code of the color to start from
        harmony: Rule by which the other hues are chosen

    Returns:
        The base color and the colors of the palette as hex codes, in the order of their hues.

    Raises:
        ValueError: If the color is unknown.
    """
    red, green, blue = _rgb(base_color)
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    turned = [colorsys.hls_to_rgb((hue + step / 360) % 1, lightness, saturation) for step in _HUE_STEPS[harmony]]
    return {
        "base": _hex(red, green, blue),
        "palette": [_hex(*(_half_up(255 * channel) for channel in color)) for color in turned],
    }


def build_type_scale(
    base_size_in_pixels: Annotated[float, Field(ge=6, le=72, examples=[14, 16, 18])],
    ratio: Literal["minor_third", "major_third", "perfect_fourth", "golden_ratio"],
    heading_levels: Annotated[int, Field(ge=1, le=6)] = 3,
) -> dict[str, float]:
    """Build a typographic scale with the font sizes of text and headings.

    Queries:
        How big should headings and small print be if text is {base_size_in_pixels} and sizes grow by the {ratio}?
        I'm styling a blog with {base_size_in_pixels#}-pixel text. What sizes do the headings get by the {ratio}?
        Use the {ratio} to size my headings, with body text at {base_size_in_pixels}[, down to h{heading_levels#}].
        Which font sizes go with body text of {base_size_in_pixels} by the {ratio}[, with headings down to level {heading_levels#}]?

    Args:
        base_size_in_pixels: Font size of the body text in pixels
        ratio: Ratio between one size and the next
        heading_levels: Number of heading levels

    Returns:
        The font sizes in pixels of the headings, h1 being the largest, of the body and of small print.

    Raises:
        ValueError: If the base size is not 6 to 72 pixels or the levels are not 1 to 6.
    """
    _require(6 <= base_size_in_pixels <= 72, "The base size must be between 6 and 72 pixels.")
    _require(1 <= heading_levels <= 6, "There must be 1 to 6 heading levels.")
    factor = _SCALE_RATIOS[ratio]
    names = ["small", "body", *(f"h{level}" for level in range(heading_levels, 0, -1))]
    sizes = {name: round(base_size_in_pixels * factor**step, 2) for step, name in enumerate(names, start=-1)}
    return dict(reversed(sizes.items()))


def calculate_color_contrast(foreground_color: str, background_color: str) -> dict[str, float | bool]:
    """Calculate the contrast ratio between two colors for the readability of text.

    Queries:
        Is {foreground_color} text on {background_color} easy enough to read?
        My web page is {background_color} with writing in {foreground_color}. Is that accessible enough?
        Check the contrast of {foreground_color} letters against {background_color}.
        How strong is the contrast on {background_color} if I write in {foreground_color}?

    Args:
        foreground_color: Name or hex code of the color in front
        background_color: Name or hex code of the color behind it

    Returns:
        The contrast ratio and which levels of the web accessibility guidelines it meets.

    Raises:
        ValueError: If a color is unknown.
    """
    darker, lighter = sorted((_luminance(foreground_color), _luminance(background_color)))
    ratio = (lighter + 0.05) / (darker + 0.05)
    return {
        "contrast_ratio": round(ratio, 2),
        "aa_normal_text": ratio >= 4.5,
        "aa_large_text": ratio >= 3,
        "aaa_normal_text": ratio >= 7,
    }


def calculate_picture_frame(
    picture_width_cm: Annotated[float, Field(ge=5, le=300, examples=[20, 30, 42, 59.4])],
    picture_height_cm: Annotated[float, Field(ge=5, le=300, examples=[30, 40, 59.4, 84.1])],
    mat_border_cm: Annotated[float, Field(ge=1, le=30, examples=[4, 5, 7.5])],
    moulding_cm: Annotated[float, Field(ge=0.5, le=15, examples=[1.5, 2, 3])] = 2.0,
) -> dict[str, list[float]]:
    """Calculate the mat opening and the frame size for a picture.

    Queries:
        How big a frame do I need for a picture {picture_width_cm} wide and {picture_height_cm} tall with {mat_border_cm} of mat on each side[ and a moulding of {moulding_cm}]?
        I'm framing a print {picture_height_cm} high and {picture_width_cm} wide, with {mat_border_cm} of mat showing on each side. How large do the mat opening and the frame have to be?
        Size a frame for art {picture_width_cm} across and {picture_height_cm} high, with a mat border of {mat_border_cm} all around[ and moulding {moulding_cm} wide].
        I want {mat_border_cm} of mat all around my drawing, which is {picture_width_cm} wide and {picture_height_cm} high. How big are the opening and the frame?

    Args:
        picture_width_cm: Width of the picture in centimeters
        picture_height_cm: Height of the picture in centimeters
        mat_border_cm: Visible border of the mat on each side in centimeters
        moulding_cm: Width of the frame's moulding in centimeters

    Returns:
        Width and height in centimeters of the mat opening, the mat and the outside of the frame.

    Raises:
        ValueError: If a size, the border or the moulding is out of range.
    """
    size = (picture_width_cm, picture_height_cm)
    _require(min(size) >= 5 and max(size) <= 300, "The picture must measure 5 to 300 centimeters each way.")
    _require(1 <= mat_border_cm <= 30, "The mat border must be between 1 and 30 centimeters.")
    _require(0.5 <= moulding_cm <= 15, "The moulding must be between 0.5 and 15 centimeters.")
    opening = [side - 2 * _MAT_OVERLAP_CM for side in size]
    mat = [side + 2 * mat_border_cm for side in opening]
    frame = [side + 2 * moulding_cm for side in mat]
    sizes = {"mat_opening_cm": opening, "mat_cm": mat, "frame_cm": frame}
    return {name: [round(side, 2) for side in sides] for name, sides in sizes.items()}


def calculate_print_size(
    width_pixels: Annotated[int, Field(ge=500, le=20_000, examples=[1920, 3000, 4000, 6000])],
    height_pixels: Annotated[int, Field(ge=500, le=20_000, examples=[1080, 2000, 3000, 4000])],
    resolution_dpi: Annotated[int, Field(ge=72, le=1200, examples=[150, 240, 600])] = 300,
) -> dict[str, float]:
    """Calculate the largest size at which an image can be printed.

    Queries:
        How large can I print an image that is {width_pixels} wide and {height_pixels} high[ at {resolution_dpi}]?
        I'm printing a photo {height_pixels} tall and {width_pixels} across. How big can it be[ at {resolution_dpi}]?
        Tell me the largest print for a picture of {width_pixels#} x {height_pixels#} pixels[ at {resolution_dpi}].
        My camera shoots {width_pixels} wide by {height_pixels} high. How big does that get on paper[ at {resolution_dpi}]?

    Args:
        width_pixels: Width of the image in pixels
        height_pixels: Height of the image in pixels
        resolution_dpi: Resolution of the print in dots per inch

    Returns:
        The width and the height of the print in centimeters, and the image's megapixels.

    Raises:
        ValueError: If a side is not 500 to 20000 pixels or the resolution is not 72 to 1200.
    """
    sides = (width_pixels, height_pixels)
    _require(min(sides) >= 500 and max(sides) <= 20_000, "Each side must have 500 to 20000 pixels.")
    _require(72 <= resolution_dpi <= 1200, "The resolution must be between 72 and 1200 dots per inch.")
    width, height = (round(2.54 * side / resolution_dpi, 1) for side in sides)
    return {"width_cm": width, "height_cm": height, "megapixels": round(width_pixels * height_pixels / 1e6, 1)}


def find_paper_size(
    size_letter: Literal["A", "B", "C"], size_number: Annotated[int, Field(ge=0, le=10)], landscape: bool = False
) -> dict[str, str | int | float]:
    """Find the dimensions of an international paper size such as A4.

    Queries:
        How big is a sheet of {size_letter}{size_number#}[?landscape: in landscape]?
        I'm laying out a flyer on {size_letter}{size_number#}[?landscape: turned sideways]. How wide and high is it?
        Give me the dimensions of {size_letter}{size_number#}[?landscape: with the long side horizontal].
        What does paper number {size_number#} of the {size_letter} series measure[?landscape:, lying on its long side]?

    Args:
        size_letter: Letter of the paper size
        size_number: Number of the paper size, 0 for the largest
        landscape: Whether the long side is horizontal

    Returns:
        The name, the width and height in millimeters and the area in square centimeters.

    Raises:
        ValueError: If the number is not between 0 and 10.
    """
    _require(0 <= size_number <= 10, f"Paper sizes go from 0 to 10, not {size_number}.")
    short, long = _PAPER_MM[size_letter]
    for _ in range(size_number):
        short, long = long // 2, short
    width, height = (long, short) if landscape else (short, long)
    return {
        "name": f"{size_letter}{size_number}",
        "width_mm": width,
        "height_mm": height,
        "area_cm2": short * long / 100,
    }


def space_wall_pictures(
    picture_widths_cm: Annotated[list[Annotated[float, Field(ge=5, le=120)]], Field(min_length=1, max_length=20)],
    wall_width_cm: Annotated[float, Field(ge=300, le=1500, examples=[300, 360, 420])],
) -> dict[str, float | list[float]]:
    """Find where to hang a row of pictures so that all gaps on the wall are equal.

    Queries:
        How do I hang these with equal gaps on a wall {wall_width_cm} wide? Picture widths in order: {picture_widths_cm}
        I'm hanging a row of pictures on a wall {wall_width_cm} wide and want equal gaps. Where does each go? Their widths from left to right: {picture_widths_cm}
        Space these evenly along {wall_width_cm} of wall, given how wide each picture is: {picture_widths_cm}
        Work out equal gaps for a row of frames on a wall {wall_width_cm} across. From left to right, the frames are this wide: {picture_widths_cm}

    Args:
        picture_widths_cm: Widths of the pictures from left to right in centimeters
        wall_width_cm: Width of the wall in centimeters

    Returns:
        The gap, and the distance of each picture's left edge from the left end of the wall.

    Raises:
        ValueError: If a width is out of range, or the pictures do not fit on the wall.
    """
    _require(1 <= len(picture_widths_cm) <= 20, "There must be 1 to 20 pictures.")
    _require(all(5 <= width <= 120 for width in picture_widths_cm), "Each picture must be 5 to 120 centimeters wide.")
    _require(300 <= wall_width_cm <= 1500, "The wall must be between 300 and 1500 centimeters wide.")
    free = round(wall_width_cm - sum(picture_widths_cm), 6)
    _require(free >= 0, f"The pictures are {-free:g} centimeters wider than the wall.")
    gap = free / (len(picture_widths_cm) + 1)
    before = [sum(picture_widths_cm[:index]) + gap * (index + 1) for index in range(len(picture_widths_cm))]
    return {"gap_cm": round(gap, 1), "left_edges_cm": [round(edge, 1) for edge in before]}
