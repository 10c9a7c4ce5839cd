"""Word banks that examples of text parameters are drawn from: common words of each field, and invented names."""

from __future__ import annotations

from functools import cache

_BANKS = """
person: Amara Okafor, Jonas Lindqvist, Priya Gupta, Lucia Ortega, Hiro Tanaka, Emeka Mensah, Freya Larsen, Pavel
  Novak, Yara Haddad, Callum Walsh, Ines Silva, Stefan Keller, Noor Farouk, Chloe Moreau, Ravi Pham, Selin Demir,
  Oscar Nilsson, Zoe Murphy, Marek Kowalski, Hana Ito, Bruno Costa, Grace Hughes, Viktor Petrov, Dalia Abebe, Tariq
  Yilmaz, Anika Bakker
company: Norwind Logistics, Kestrel Labs, Bluewater Foods, Harlow & Finch, Oakline Partners, Meridian Steel, Tamaro
  Studio, Castell Media, Solace Pharma, Redfern Motors, Zenova Software, Alpenrose Dairy, Brightwell Bank, Ondine
  Shipping, Quillon Textiles, Pinecrest Homes, Velora Cosmetics, Hartmann Tools, Ferro Energy, Maristone Mining
email: amara.okafor@example.com, jonas@example.org, priya.gupta@example.net, office@example.com,
  hiro.tanaka@example.org, sales@example.net, freya.larsen@example.com, pavel@example.net, noor.farouk@example.org,
  team@example.com, zoe.murphy@example.net, info@example.org, marek.k@example.com, hana.ito@example.org,
  grace@example.net
file: report_march.pdf, budget_2025.xlsx, holiday.png, notes.txt, invoices.csv, contract_draft.docx, team_photo.jpg,
  results_final.json, slides.pptx, backup_07.zip, minutes.md, floor_plan.svg, survey.csv, letter.odt
city: Ljubljana, Cardiff, Sapporo, Bergamo, Rosario, Toulouse, Antwerp, Nagoya, Cartagena, Aberdeen, Tucson, Split,
  Galway, Da Nang, Brno, Sucre, Maputo, Uppsala, Innsbruck, Kochi, Tromso, Coimbra, Ankara, Halle, Belfast, Fresno,
  Madison, Boise, Geneva, Palermo, Nantes, Incheon, Kampala, Granada, Wroclaw, Salvador, Leeds, Tartu, Hamilton, Varna
country: Bolivia, Croatia, Mongolia, Senegal, Denmark, Malaysia, Jordan, Paraguay, Latvia, Nepal, Tunisia, Austria,
  New Zealand, Panama, Zambia, Belgium, Cyprus, Indonesia, Cuba, Armenia, Madagascar, Sweden, Oman, Fiji, Romania
region: Tuscany, Patagonia, Bavaria, Normandy, Scania, Andalusia, Hokkaido, Transylvania, Provence, Galicia, Lapland,
  Brittany, Catalonia, Crimea, Tyrol, Cornwall, Silesia, Flanders, Kerala, Oaxaca, Jutland, Sardinia
state: Vermont, Oregon, Nebraska, Georgia, Montana, Ohio, Nevada, Maine, Idaho, Utah, Kansas, Arizona, Iowa, Virginia,
  Delaware, Minnesota, Tennessee, Wyoming, Alabama, Colorado, Hawaii, Kentucky
brand: Norvik, Alpenrose, Kestrel, Brightwell, Zenova, Tamaro, Oakline, Velora, Hartmann, Lumio, Castell, Ferro,
  Quillon, Solace, Redfern, Maristone, Ondine, Tyrell, Bergmark, Pinecrest
ticker: QVTR, HLMN, BRKO, NXPT, ZLAN, GRVO, TMBR, PLYX, ORSN, KDRA, WSTL, FJRD, CMTA, VLNT, SGNL, ALDR, MRBL, HRBR
coin: Bitcoin, Ethereum, Litecoin, Dogecoin, Cardano, Solana, Monero, Polkadot, Stellar, Chainlink, Tezos, Ripple
commodity: gold, silver, copper, crude oil, natural gas, wheat, coffee, cocoa, cotton, sugar, platinum, soybeans,
  corn, nickel, aluminium, lumber, palladium, rubber, zinc, oats
currency: EUR, USD, GBP, JPY, CHF, CAD, AUD, SEK, NOK, INR, BRL, KRW, PLN, MXN, NZD, DKK, CZK, HUF, ZAR, SGD, THB, TRY
flight: ZQ418, NV207, KB1134, OR59, LX882, TA315, WE2046, HN71, PV640, DR903, CS118, MA77, BT526, FR1490, GA362
isbn: 9780000418526, 9781100372094, 9782200845613, 9783300126748, 9784400951232, 9785500287364, 9786600730417,
  9787700619285, 9788800543170, 9789900862451
folder: reports, backups/weekly, incoming, photos/2024, notes, export, invoices/2025, projects/atlas, archive/mail,
  website, drafts, logs, scans, projects/heron/docs
imagefile: holiday.png, team_photo.jpg, floor_plan.png, logo_dark.svg, garden.webp, banner.png, portrait_03.jpg,
  receipt.png, sunset.jpg, cover.png, scan_17.tif, mascot.gif, map_old.jpg, poster.webp
table: orders, customers, invoices, shipments, employees, sensor_readings, products, tickets, payments, sessions,
  suppliers, refunds, visits, warehouses, subscriptions, inventory
column: created_at, total, status, customer_id, email, quantity, region, price, last_login, category, weight, country,
  updated_at, rating, discount, score
dbname: sales_db, warehouse, crm, analytics, hr_records, shop_live, telemetry, archive_2024, billing, library_db
mailsubject: Minutes of Tuesday, Offer for the new office, Invoice for October, Question about the lease, Team lunch,
  Change of address, Travel plans for spring, Draft of the contract, Thanks for your visit, Printer on floor two,
  Feedback on the prototype, Parking permits, New opening hours, Delivery on Friday
eventtitle: Budget review, Dentist, Team lunch, Yoga class, Project kickoff, Call with suppliers, Parents evening, Car
  inspection, Book club, Release planning, Annual checkup, Choir rehearsal, Interview with Nadia, Farewell party,
  Design workshop, Sprint planning, Piano tuning, Board meeting, Site visit
word: resilient, ephemeral, harbor, candid, meander, thrive, opaque, gallant, brisk, lament, zenith, solace, tangible,
  wander, luminous, frugal, quaint, dwell, nimble, serene, ponder, vivid, murmur, steadfast
searchtopic: renewable materials, bee keeping, remote work, ocean currents, rail travel, urban gardening, sleep
  quality, medieval castles, electric bikes, honey prices, coral reefs, minimalism, bird migration, data privacy, home
  baking, volcanic soil, tiny houses, language learning, trail running, vintage cameras, knitting, food waste, chess
  openings
language: Icelandic, Portuguese, Swahili, Japanese, French, Spanish, German, Polish, Korean, Hindi, Greek, Turkish,
  Finnish, Italian, Dutch, Czech, Arabic, Hungarian, Thai, Ukrainian, Danish, Irish, Basque, Tamil
book: Moby-Dick, Middlemarch, Jane Eyre, The Odyssey, Dracula, War and Peace, Don Quixote, Walden, Emma, Frankenstein,
  Treasure Island, The Iliad, Little Women, Great Expectations, Candide, Oblomov, Persuasion, The Trial, Ivanhoe
histevent: Congress of Vienna, Battle of Hastings, fall of Constantinople, Boston Tea Party, Treaty of Westphalia,
  Storming of the Bastille, Battle of Waterloo, signing of the Magna Carta, Great Fire of London, Meiji Restoration,
  Battle of Marathon, Suez Crisis, Treaty of Tordesillas, Defenestration of Prague, Battle of Lepanto
histperson: Catherine the Great, Hannibal, Saladin, Otto von Bismarck, Cleopatra, Simon Bolivar, Charlemagne, Hypatia,
  Marco Polo, Elizabeth I, Ashoka, Toussaint Louverture, Boudica, Kublai Khan, Emmeline Pankhurst, Garibaldi
empire: Ottoman Empire, Ming dynasty, Roman Republic, Mali Empire, Inca Empire, Mughal Empire, Han dynasty, Khmer
  Empire, Byzantine Empire, Songhai Empire, Tang dynasty, Hittite Empire, Kingdom of Aksum, Habsburg Monarchy
lawarea: tax law, family law, labor law, patent law, maritime law, criminal law, contract law, immigration law,
  copyright law, insurance law, antitrust law, environmental law, tenancy law, bankruptcy law
statute: Clean Water Act, Data Protection Act, Fair Housing Act, Companies Act, Copyright Act, Patents Act, Consumer
  Rights Act, Equal Pay Act, Sale of Goods Act, Freedom of Information Act, Endangered Species Act
animal: red fox, barn owl, hedgehog, alpaca, sea otter, tree frog, goshawk, moose, snow leopard, badger, puffin,
  bison, manatee, lynx, pangolin, wolverine, kingfisher, monarch butterfly, giant tortoise, orca, gecko, ibex,
  capybara
breed: beagle, whippet, border collie, dachshund, akita, poodle, samoyed, basset hound, vizsla, pug, boxer, papillon
plant: lavender, monstera, bamboo, rosemary, orchid, fern, tulip, oak, sunflower, aloe vera, magnolia, basil, ivy,
  hydrangea, juniper, maple, snake plant, foxglove
crop: wheat, barley, rapeseed, potatoes, sugar beet, maize, rice, soybeans, lentils, oats, sunflowers, rye, cotton,
  hops
gene: BRCA1, TP53, CFTR, HBB, MYC, EGFR, APOE, FOXP2, SRY, LCT, KRAS, PAX6, OCA2, FTO
protein: hemoglobin, insulin, collagen, keratin, myosin, actin, albumin, ferritin, elastin, tubulin, casein,
  fibrinogen
dna: ATGCGTAC, GGCATTAC, TTAGCCGA, CGATCGGA, AACGTTGC, GATTACAG, CCGTAATG, TACGGATC, AGCTTGCA, GTCAGTAA, TGCATGCC
compound: ethanol, acetone, benzene, sodium chloride, glucose, methane, caffeine, ammonia, sulfuric acid, urea,
  toluene, calcium carbonate, acetic acid, glycerol, nitric acid, aspirin, phenol, copper sulfate
formula: C2H5OH, NaCl, H2SO4, CaCO3, C6H12O6, NH3, KMnO4, C8H10N4O2, HNO3, MgO, FeCl3, CH4, Na2CO3, C3H8, AgNO3, Al2O3
element: carbon, iron, neon, sodium, gold, helium, zinc, iodine, calcium, titanium, argon, copper, tin, lead, sulfur,
  nickel, krypton, boron, tungsten, mercury
material: steel, oak, copper, glass, rubber, concrete, aluminium, cork, granite, nylon, brass, ceramic, bamboo, marble
planet: Mercury, Venus, Earth, Mars, Jupiter, Saturn, Uranus, Neptune
star: Sirius, Vega, Betelgeuse, Polaris, Rigel, Antares, Aldebaran, Deneb, Altair, Spica, Capella, Arcturus, Regulus
constellation: Orion, Cassiopeia, Lyra, Cygnus, Ursa Major, Scorpius, Leo, Pegasus, Draco, Andromeda, Gemini, Perseus
mountain: Kilimanjaro, Matterhorn, Denali, Elbrus, Aconcagua, Mount Rainier, Ben Nevis, Eiger, Annapurna, Mount Cook,
  Olympus, Chimborazo, Mount Logan, K2, Triglav
river: Danube, Mekong, Volga, Orinoco, Elbe, Zambezi, Loire, Yukon, Tigris, Niger, Vistula, Murray, Tagus, Indus,
  Congo
team: Harbour Rovers, Northfield Wolves, Bergen Falcons, Tucson Comets, Leeds Ravens, Porto Waves, Ghent Lions, Denver
  Pines, Osaka Storm, Lyon Sparks, Tampere Bears, Cork Herons, Cusco Condors, Perth Dolphins, Oslo Trolls, Gdansk
  Cranes, Accra Stars, Quito Pumas
league: Coastal League, Northern Cup, Premier Division, Summer Trophy, Alpine Series, Continental Shield, Harbor
  League, National Championship, Island Open, River Cup, Masters Series, Union League
sport: handball, rowing, tennis, cricket, volleyball, badminton, hockey, fencing, judo, rugby, curling, swimming,
  archery, squash, cycling, water polo
exercise: squats, bench press, deadlift, push-ups, plank, lunges, rowing, cycling, burpees, pull-ups, jogging,
  swimming, jump rope, kettlebell swings, overhead press
medicine: ibuprofen, amoxicillin, cetirizine, paracetamol, metformin, omeprazole, aspirin, warfarin, lisinopril,
  atorvastatin, sertraline, loratadine, prednisone, diazepam, levothyroxine, naproxen, salbutamol, codeine
disease: asthma, migraine, influenza, diabetes, eczema, bronchitis, gout, anemia, measles, arthritis, psoriasis,
  pneumonia, celiac disease, hypertension, tonsillitis, malaria
symptom: headache, fever, dry cough, nausea, dizziness, sore throat, rash, back pain, fatigue, shortness of breath,
  chest pain, runny nose, stomach cramps, blurred vision, joint pain, insomnia
specialty: cardiology, dermatology, pediatrics, neurology, orthopedics, oncology, psychiatry, urology, ophthalmology,
  radiology, dentistry, endocrinology
vaccine: tetanus, measles, rabies, hepatitis B, yellow fever, polio, influenza, typhoid, shingles, rubella
food: rice, lentils, salmon, spinach, chickpeas, tofu, almonds, yogurt, eggs, quinoa, apples, carrots, cheddar,
  butter, black beans, avocado, mushrooms, oats, buttermilk, walnuts, sweet potatoes, chicken breast, peanut butter,
  bananas
dish: risotto, pad thai, moussaka, shakshuka, paella, ramen, borscht, goulash, lasagna, ratatouille, tacos, biryani,
  pierogi, ceviche, gumbo, dal, focaccia, apple crumble, falafel, onion soup
cuisine: Peruvian, Italian, Ethiopian, Thai, Lebanese, Mexican, Japanese, Greek, Indian, Vietnamese, Korean, French,
  Moroccan, Georgian, Turkish, Spanish, Polish
product: desk lamp, running shoes, coffee grinder, rain jacket, water bottle, headphones, bike helmet, yoga mat,
  backpack, keyboard, office chair, phone case, garden hose, alarm clock, cutting board, tent, blender, air mattress,
  rice cooker, umbrella, suitcase, hiking boots, bookshelf, electric kettle, wool blanket
prodcategory: kitchenware, garden tools, headphones, shoes, toys, office supplies, cosmetics, camping gear, furniture,
  bicycles, pet food, cameras, luggage, bedding, stationery, lighting
store: Birch & Co, Marketplace North, The Corner Shop, Hillside Outlet, Harbor Mall, Greenleaf Grocery, Tool Barn,
  Lantern Books, Velo Depot, Sunrise Pharmacy, Old Mill Store, Castle Electronics
coupon: SPRING15, WELCOME10, SUNNY20, FREESHIP, THANKS5, AUTUMN25, BIRTHDAY30, LOYAL12, FLASH40, PICNIC8, HELLO7
color: red, teal, navy, orange, violet, charcoal, beige, turquoise, crimson, olive, ivory, black, mint, burgundy
hotel: Hotel Miramar, The Old Mill Inn, Grand Cedar, Harbor View Lodge, Casa Azul, Alpine Rose, Hotel Continental, The
  Lantern House, Seaside Palace, Park Residence, Villa Aurora, Station Hotel, Blue Heron Inn
restaurant: Casa Verde, The Copper Pot, Trattoria Lucia, Blue Fig, Sakura Garden, Chez Margot, The Salty Anchor, Olive
  Branch, Saffron Court, Taverna Niko, Little Hanoi, Smoke & Oak, Maple Diner
airline: Nordavia, Skyline Air, Pacific Wings, TransAlpine, Baltic Air, Southern Cross Airways, Aurora Airlines,
  Meridian Air, BlueJet, Condor Express, Island Hopper, Polar Airways
station: Central Station, Harbor Square, Old Town, University, King Street, North Gate, Airport Terminal 2, Riverside,
  Market Hall, Castle Hill, East Junction, Museum Park
road: A7, Route 66, M25, Ring Road, E45, Coast Highway, Old Mill Road, Interstate 80, B96, Harbor Tunnel, N340
car: Toyota Corolla, Ford Focus, Volvo XC60, Fiat Panda, Honda Civic, Skoda Octavia, Mazda 3, Renault Clio, Kia Niro,
  Subaru Outback, Opel Astra, Nissan Leaf, Seat Ibiza, Dacia Duster
plate: KLM 482, B-TR 3910, 7XPL 204, HN 55 QRT, AVR-118, SK 901 LD, 4TGB 66, ZG-7741-M, PX19 LOE, M-AB 2087
district: Old Town, Riverside, Chinatown, Northgate, Hillcrest, Docklands, University Quarter, Lakeside, West End,
  Garden City, Market District, Castle Hill, Eastfield, Harbor Point
job: nurse, welder, data analyst, bus driver, florist, electrician, translator, baker, surveyor, software engineer,
  pharmacist, plumber, accountant, librarian, glazier, project manager, carpenter, chef, paralegal, veterinarian
department: Marketing, Engineering, Finance, Sales, Human Resources, Logistics, Legal, Procurement, Customer Support,
  Quality Assurance, Research, Facilities
skill: Python, welding, bookkeeping, public speaking, SQL, project planning, Spanish, copywriting, negotiation, CAD,
  first aid, spreadsheet modeling, graphic design, forklift driving, data cleaning
artwork: The Night Watch, Girl with a Pearl Earring, The Starry Night, Las Meninas, The Scream, Guernica, The Kiss,
  Water Lilies, American Gothic, The Hay Wain, Primavera, Nighthawks, The Great Wave, Mona Lisa, The Milkmaid
artist: Rembrandt, Frida Kahlo, Claude Monet, Hokusai, Artemisia Gentileschi, Goya, Paul Klee, Berthe Morisot, Titian,
  Edvard Munch, Caravaggio, Hilma af Klint, Joan Miro, El Greco, Turner
museum: Rijksmuseum, Prado, Louvre, Uffizi Gallery, British Museum, Hermitage, Tate Modern, Albertina, Pergamon
  Museum, Guggenheim Bilbao, Nationalmuseum, Kunsthaus Graz
room: kitchen, bedroom, living room, garage, hallway, attic, office, bathroom, nursery, cellar, dining room, porch
smartdevice: hallway lamp, porch camera, front door lock, kitchen speaker, bedroom blinds, garage door, desk lamp,
  robot vacuum, garden sprinkler, living room fan, coffee machine, attic sensor, baby monitor, air purifier
scene: Movie Night, Good Morning, Dinner Time, Away, Bedtime, Reading, Party, Focus, Rainy Day, Welcome Home
hashtag: travel, homemade, throwback, streetart, mindfulness, hiking, vegan, sunset, coding, diy, puppy, vintage,
  garden
listname: Weekend, Groceries, Gift ideas, Summer reading, Work, Favorites, To watch, Packing, Errands, Wish list
projectname: Atlas, Heron, Blue Harbor, Phoenix, Northstar, Greenhouse, Compass, Juniper, Tidal, Lighthouse, Mosaic
repo: web-shop, data-loader, mobile-app, docs-site, payments-api, image-tools, billing-core, search-ui, log-viewer
branch: develop, release-2.1, feature-login, hotfix-17, staging, fix-cart, refactor-api, docs-update, feature-export
host: web-01, db-primary, mail-02, cache-eu, build-node-3, proxy-west, api-staging, backup-nas, worker-7, edge-lon
expression: x**2 + 3*x, 5*x - 8, sin(x), 2*x**3 - x, exp(x), x**2 - 9, cos(2*x), log(x), 4*x**2 + 1, x**3 + 2*x - 5,
  6*x + 11, sqrt(x), 1/x, tan(x), x**4 - 2
occasion: birthday, wedding, anniversary, housewarming, graduation, retirement, baby shower, farewell, picnic, reunion
hobby: hiking, painting, photography, gardening, chess, pottery, cycling, cooking, bird watching, sailing, knitting,
  history, surfing, wine tasting, architecture, running
charity: Clean Rivers Fund, Shelter North, Books for All, Green Paws, Open Hands, Water First, Night Kitchen,
  Forest Friends, Bright Start, Harvest Aid, Sea Watch Trust, Second Home
landmark: Sagrada Familia, Charles Bridge, Colosseum, Eiffel Tower, Blue Mosque, Golden Gate Bridge, Angkor Wat, Big
  Ben, Alhambra, Table Mountain, Brandenburg Gate, Acropolis, Petra, Machu Picchu
allergen: peanuts, gluten, shellfish, milk, soy, eggs, sesame, mustard, celery, tree nuts
amenity: pool, free parking, balcony, gym, breakfast, garden, wifi, sauna, elevator, air conditioning, sea view,
  kitchen
service: lawn mowing, roof repair, window cleaning, logo design, bookkeeping, translation, plumbing work, web hosting,
  carpet cleaning, painting, photo shoot, furniture delivery, garden design, legal advice, catering, tree pruning
task: Repaint the fence, Renew the passport, Write the report, Order paper, Call the landlord, Update the website, Fix
  the gate, Prepare slides, Clean the gutters, Review the contract, Book the venue, Test the backup, Sort the archive
asset: government bonds, gold, index fund, real estate, emerging markets, cash, corporate bonds, technology stocks,
  commodities, small caps, dividend stocks, treasury bills
party: Green Alliance, Liberal Union, People's Party, Civic Forum, Labour Front, New Centre, Reform Movement, Rural
  League, Progress Party, Social Democrats, Coastal Party, Citizens First
part: hinge, ball bearing, gasket, drive belt, hex bolt, circuit board, gear wheel, spring, valve, piston, fan blade,
  washer, bracket, axle, rotor
meaning: sorrow, quickly, harbour, to wander, stubborn, bright, silence, courage, to repair, narrow, weather, gentle,
  neighbour, to forget
hazard: flood, data loss, supplier failure, fire, theft, strike, machine breakdown, bad weather, cyber attack, late
  delivery, staff shortage, price increase
bookgenre: fantasy, mystery, romance, biography, science fiction, poetry, thriller, travel writing, satire, memoir
"""


@cache
def banks() -> dict[str, tuple[str, ...]]:
    """Bank -> its values."""
    found = {}
    for line in _BANKS.strip().replace("\n  ", " ").splitlines():
        name, _, values = line.partition(": ")
        found[name] = tuple(value.strip() for value in values.split(","))
    return found
