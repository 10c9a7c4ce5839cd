"""Word banks the value sampler draws from: invented for this project, no benchmark's cases."""

from __future__ import annotations

CITIES = (
    "Lisbon", "Oslo", "Nairobi", "Kyoto", "Austin", "Valencia", "Tallinn", "Montreal", "Hanoi", "Cusco",
    "Leipzig", "Adelaide", "Porto Alegre", "Marrakesh", "Gdansk", "Seoul", "Dublin", "Tbilisi", "Denver", "Accra",
    "San José", "Zürich", "Bergen", "Salt Lake City", "Wellington", "Krakow", "Mumbai", "Lyon", "Quito", "Aarhus",
)  # fmt: skip
COUNTRIES = (
    "Portugal", "Kenya", "Japan", "Canada", "Vietnam", "Peru", "Germany", "Australia", "Brazil", "Morocco",
    "Poland", "South Korea", "Ireland", "Georgia", "Ghana", "Costa Rica", "Switzerland", "Norway", "India", "Ecuador",
)  # fmt: skip
FIRST_NAMES = (
    "Amara", "Bjorn", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kavya", "Liam",
    "Mireille", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Stefan", "Tomás", "Uma", "Viktor", "Wanjiru", "Yara",
)  # fmt: skip
LAST_NAMES = (
    "Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Haddad", "Silva", "Keller", "Ortega", "Bianchi",
    "Mensah", "Sato", "Petrov", "Larsen", "Gupta", "Walsh", "Castillo", "Nyong", "Fischer", "Dubois",
)  # fmt: skip
ADJECTIVES = (
    "amber", "quiet", "northern", "silver", "open", "bright", "rapid", "hidden", "gentle", "modern", "coastal",
    "golden", "wild", "early", "crystal", "urban", "velvet", "distant", "lucky", "frozen", "green", "paper",
)  # fmt: skip
NOUNS = (
    "harbor", "lantern", "orchard", "compass", "meadow", "signal", "canyon", "bridge", "falcon", "river", "garden",
    "engine", "island", "archive", "market", "mirror", "summit", "violin", "anchor", "forest", "comet", "library",
)  # fmt: skip
PRODUCTS = (
    "desk lamp", "running shoes", "coffee grinder", "rain jacket", "notebook", "water bottle", "headphones",
    "bike helmet", "yoga mat", "backpack", "keyboard", "tea kettle", "sunglasses", "wool scarf", "office chair",
)  # fmt: skip
FOODS = (
    "rice", "lentils", "oat milk", "salmon", "spinach", "chickpeas", "olive oil", "brown sugar", "tomatoes",
    "mushrooms", "basil", "yogurt", "flour", "eggs", "black beans", "apples", "garlic", "quinoa", "carrots",
)  # fmt: skip
SUBJECTS = (
    "photosynthesis", "linear algebra", "world history", "organic chemistry", "music theory", "statistics",
    "machine learning", "creative writing", "astronomy", "microeconomics", "genetics", "philosophy",
)  # fmt: skip
COLORS = ("red", "teal", "navy", "orange", "violet", "charcoal", "beige", "turquoise", "crimson", "olive")
SENTENCES = (
    "The {adj} {noun} opens at dawn",
    "We walked past the {adj} {noun} twice",
    "Every {noun} needs a {adj} friend",
    "{name} painted a {adj} {noun}",
    "Nobody in {city} had seen such a {adj} {noun}",
    "Bring the {noun} back before {name} notices",
    "{name} moved to {city} last spring",
    "A {adj} {noun} stood beside the old {noun2}",
    "Level up your {noun}",
    "The {noun} and the {noun2}",
)
