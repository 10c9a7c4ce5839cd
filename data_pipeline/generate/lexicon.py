"""Word banks the generator draws from: invented for this project, no benchmark's cases.

Small on purpose: names, titles, streets, companies and sentences are put together from them.
"""

from __future__ import annotations

CITIES = (
    "Lisbon", "Oslo", "Nairobi", "Kyoto", "Austin", "Valencia", "Tallinn", "Montreal", "Hanoi", "Cusco",
    "Leipzig", "Adelaide", "Porto Alegre", "Marrakesh", "Gdansk", "Seoul", "Dublin", "Tbilisi", "Denver", "Accra",
    "San José", "Zürich", "Bergen", "Salt Lake City", "Wellington", "Krakow", "Mumbai", "Lyon", "Quito", "Aarhus",
    "Turin", "Ghent", "Osaka", "Bristol", "Halifax", "Medellín", "Izmir", "Pune", "Perth", "Graz", "Malmö", "Cork",
    "Baltimore", "Santa Fe", "Windhoek", "Lusaka", "Chiang Mai", "Busan", "Hobart", "Bilbao", "Trieste", "Plovdiv",
    "Mendoza", "Savannah", "Tampere", "Rotterdam", "Zagreb", "Dunedin", "Fez", "Kigali",
)  # fmt: skip
COUNTRIES = (
    "Portugal", "Kenya", "Japan", "Canada", "Vietnam", "Peru", "Germany", "Australia", "Brazil", "Morocco",
    "Poland", "South Korea", "Ireland", "Georgia", "Ghana", "Costa Rica", "Switzerland", "Norway", "India", "Ecuador",
    "Chile", "Finland", "Turkey", "Namibia", "Iceland", "Uruguay", "Slovenia", "Thailand", "Estonia", "Greece",
)  # fmt: skip
COUNTRY_CODES = ("PT", "KE", "JP", "CA", "VN", "PE", "DE", "AU", "BR", "MA", "PL", "KR", "IE", "GH", "CH", "NO", "IN")
LANGUAGES = (
    "Portuguese", "Swahili", "Japanese", "French", "Vietnamese", "Spanish", "German", "Polish", "Korean", "Norwegian",
    "Hindi", "Greek", "Turkish", "Finnish", "Italian", "Dutch",
)  # fmt: skip
LANGUAGE_CODES = ("pt", "sw", "ja", "fr", "vi", "es", "de", "pl", "ko", "hi", "tr", "fi", "it", "nl")
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "CAD", "AUD", "SEK", "NOK", "INR", "BRL", "KRW", "PLN", "MXN")
TIME_ZONES = (
    "Europe/Lisbon", "Africa/Nairobi", "Asia/Tokyo", "America/Denver", "Europe/Oslo", "Asia/Seoul", "America/Lima",
    "Pacific/Auckland", "Europe/Zurich", "Asia/Kolkata",
)  # fmt: skip
FIRST_NAMES = (
    "Amara", "Bjorn", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kavya", "Liam",
    "Mireille", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Stefan", "Tomás", "Uma", "Viktor", "Wanjiru", "Yara",
    "Anika", "Bruno", "Callum", "Dalia", "Emeka", "Freya", "Gustav", "Hana", "Idris", "Jamila", "Kofi", "Lucia",
    "Marek", "Noor", "Olivia", "Pavel", "Ravi", "Selin", "Tariq", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Okafor", "Lindqvist", "Moreau", "Tanaka", "Novak", "Haddad", "Silva", "Keller", "Ortega", "Bianchi",
    "Mensah", "Sato", "Petrov", "Larsen", "Gupta", "Walsh", "Castillo", "Nyong", "Fischer", "Dubois",
    "Abebe", "Bakker", "Costa", "Demir", "Eriksen", "Farouk", "Hughes", "Ito", "Jansen", "Kowalski", "Lopes", "Murphy",
    "Nilsson", "Oliveira", "Pham", "Rossi", "Suzuki", "Torres", "Vargas", "Yilmaz",
)  # fmt: skip
ADJECTIVES = (
    "amber", "quiet", "northern", "silver", "open", "bright", "rapid", "hidden", "gentle", "modern", "coastal",
    "golden", "wild", "early", "crystal", "urban", "velvet", "distant", "lucky", "frozen", "green", "paper",
    "copper", "hollow", "scarlet", "patient", "broken", "winter", "honest", "narrow", "sunny", "humble", "ancient",
    "restless", "clever", "misty", "rusty", "polar", "brave", "tidy",
)  # fmt: skip
NOUNS = (
    "harbor", "lantern", "orchard", "compass", "meadow", "signal", "canyon", "bridge", "falcon", "river", "garden",
    "engine", "island", "archive", "market", "mirror", "summit", "violin", "anchor", "forest", "comet", "library",
    "beacon", "ladder", "saddle", "quarry", "pebble", "rocket", "willow", "tunnel", "feather", "castle", "glacier",
    "kettle", "marble", "pillar", "raven", "shelter", "thunder", "valley", "whistle", "basket", "cabin", "desert",
)  # fmt: skip
PRODUCT_KINDS = (
    "desk lamp", "running shoes", "coffee grinder", "rain jacket", "notebook", "water bottle", "headphones",
    "bike helmet", "yoga mat", "backpack", "keyboard", "tea kettle", "sunglasses", "wool scarf", "office chair",
    "phone case", "picture frame", "bath towel", "garden hose", "alarm clock", "cutting board", "board game",
)  # fmt: skip
PRODUCT_TRAITS = ("", "", "", "blue ", "black ", "small ", "large ", "wooden ", "foldable ", "red ", "folding ")
FOODS = (
    "rice", "lentils", "oat milk", "salmon", "spinach", "chickpeas", "olive oil", "brown sugar", "tomatoes",
    "mushrooms", "basil", "yogurt", "flour", "eggs", "black beans", "apples", "garlic", "quinoa", "carrots",
    "potatoes", "butter", "almonds", "red peppers", "ginger", "noodles", "tofu", "walnuts", "zucchini", "cheddar",
)  # fmt: skip
SUBJECTS = (
    "photosynthesis", "linear algebra", "world history", "organic chemistry", "music theory", "statistics",
    "machine learning", "creative writing", "astronomy", "microeconomics", "genetics", "philosophy",
    "art history", "thermodynamics", "sociology", "geology", "discrete maths", "public speaking", "cell biology",
)  # fmt: skip
COLORS = ("red", "teal", "navy", "orange", "violet", "charcoal", "beige", "turquoise", "crimson", "olive")
UNIT_WORDS = ("grams", "cups", "pieces", "ml", "tablespoons", "kg", "liters", "slices", "teaspoons", "cans")
MEDICINES = ("ibuprofen", "amoxicillin", "cetirizine", "paracetamol", "metformin", "vitamin D", "omeprazole", "iron")
JOBS = ("nurse", "welder", "data analyst", "bus driver", "florist", "electrician", "translator", "baker", "surveyor")
ANIMALS = ("beagle", "tabby cat", "barn owl", "red fox", "hedgehog", "alpaca", "dolphin", "tree frog", "goshawk")
ACTIVITIES = ("hiking", "swimming", "skiing", "climbing", "cycling", "kayaking", "snorkeling", "running", "sailing")
GENRES = ("jazz", "western", "science fiction", "folk", "mystery", "ambient", "comedy", "drama", "flamenco")
ROOMS = ("kitchen", "attic", "garage", "hallway", "porch", "cellar", "nursery", "office", "greenhouse", "bedroom")
DEVICES = ("sensor", "thermostat", "camera", "lamp", "doorbell", "smoke detector", "valve", "plug", "lock", "speaker")
APPLIANCES = ("fridge", "dishwasher", "tumble dryer", "kettle", "oven", "freezer", "heat pump", "dehumidifier")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
STREETS = ("Street", "Lane", "Road", "Avenue", "Square", "Way")
COMPANY_ENDINGS = ("Ltd", "GmbH", "Partners", "Studio", "Foods", "Logistics", "Labs", "Travel")
FILE_ENDINGS = ("pdf", "csv", "txt", "docx", "png", "json")
VERBS = ("opens", "wakes", "closes", "vanished", "returns", "shines", "waits", "moved")
WHENS = ("at dawn", "before noon", "after the storm", "every spring", "on market day", "without a sound", "at last")
SENTENCES = (
    "The {adj} {noun} {verb} {when}",
    "We walked past the {adj} {noun} twice",
    "Every {noun} needs {a_adj} {noun2}",
    "{name} painted {a_adj} {noun} {when}",
    "Nobody in {city} had seen such {a_adj} {noun}",
    "Bring the {noun} back before {name} notices",
    "{name} moved to {city} and bought {a_adj} {noun}",
    "Here {a_adj} {noun} stood beside the old {noun2}",
    "Level up your {noun} with {a_adj} {noun2}",
    "The {noun} and the {noun2} of {city}",
    "{name} says the {noun} {verb} {when}",
    "Please tell {name} that the {adj} {noun} {verb} {when}",
)
