"""The words of the demo shop: what a general store sells, who makes it and who delivers it.

All names are made up; addresses end in ``.example`` and phone numbers are of the range kept for films.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Good:
    """One kind of goods. ``price`` is that of the first size; each further size costs half as much more."""

    noun: str
    price: float
    variants: tuple[str, ...]
    sizes: tuple[str, ...]


@dataclass(frozen=True)
class Department:
    """One category. ``units`` is how many pieces a customer takes at once, ``margin`` part of the price."""

    name: str
    code: str
    description: str
    units: float
    margin: tuple[float, float]
    brands: tuple[str, ...]
    suppliers: tuple[str, ...]
    goods: tuple[Good, ...]


@dataclass(frozen=True)
class Trader:
    """A supplier as its letterhead has it."""

    name: str
    mailbox: str
    phone: str
    description: str


def _good(noun: str, price: float, variants: str, sizes: str) -> Good:
    return Good(noun, price, tuple(variants.split("|")), tuple(sizes.split("|")))


DEPARTMENTS = (
    Department(
        "Groceries",
        "GRO",
        "Food that keeps: pasta, rice, tins, spices and sweets",
        units=2.6,
        margin=(0.18, 0.34),
        brands=("Harvest Lane", "Casa Oliva", "Millbrook", "Golden Acre"),
        suppliers=("Northern Foods Ltd", "Mercato Trading", "Greenfield Wholesale"),
        goods=(
            _good("spaghetti", 1.29, "Durum|Wholegrain|Organic|Egg", "500 g|1 kg"),
            _good("rice", 1.99, "Basmati|Jasmine|Risotto|Brown", "500 g|1 kg|5 kg"),
            _good("tomatoes", 0.89, "Chopped|Peeled|Cherry|Crushed", "400 g tin|6 x 400 g"),
            _good("olive oil", 6.49, "Extra virgin|Mild|Organic|Lemon", "250 ml|500 ml|1 l"),
            _good("honey", 4.29, "Acacia|Forest|Clover|Orange blossom", "250 g|500 g"),
            _good("oats", 1.49, "Rolled|Jumbo|Gluten-free|Organic", "500 g|1 kg"),
            _good("chocolate", 1.79, "Dark 70 %|Milk|Hazelnut|White|Sea salt", "100 g|200 g"),
            _good("biscuits", 1.59, "Butter|Ginger|Oat|Digestive", "200 g|400 g"),
            _good("chickpeas", 0.95, "Boiled|Dried|Roasted", "400 g|1 kg"),
            _good("black pepper", 2.89, "Whole|Ground|Smoked", "40 g|100 g|250 g"),
            _good("jam", 2.49, "Strawberry|Apricot|Raspberry|Blackcurrant", "340 g|450 g"),
            _good("soup", 1.69, "Tomato|Lentil|Mushroom|Minestrone", "400 g|800 g"),
        ),
    ),
    Department(
        "Beverages",
        "BEV",
        "Coffee, tea, juices, water and soft drinks",
        units=2.4,
        margin=(0.20, 0.38),
        brands=("Harvest Lane", "Brewhouse 9", "Alpenquell"),
        suppliers=("Northern Foods Ltd", "Bean & Leaf Importers"),
        goods=(
            _good("coffee beans", 7.99, "Espresso|House blend|Decaf|Colombian|Ethiopian", "250 g|500 g|1 kg"),
            _good("ground coffee", 5.49, "Filter|Mocha|Decaf", "250 g|500 g"),
            _good("tea", 2.79, "Green|Black|Earl Grey|Peppermint|Camomile", "20 bags|50 bags|100 bags"),
            _good("juice", 1.99, "Apple|Orange|Grape|Pineapple|Mango", "1 l|6 x 1 l"),
            _good("mineral water", 0.69, "Still|Sparkling|Lightly sparkling", "0.5 l|1.5 l|6 x 1.5 l"),
            _good("lemonade", 1.35, "Cloudy|Pink|Elderflower|Ginger", "330 ml|750 ml|4 x 330 ml"),
            _good("cocoa", 3.29, "Pure|Drinking|Spiced", "250 g|500 g"),
        ),
    ),
    Department(
        "Household",
        "HOU",
        "Cleaning, laundry, kitchen and everything a home runs out of",
        units=1.6,
        margin=(0.28, 0.45),
        brands=("Brightway", "Nordhus", "Clearline"),
        suppliers=("Cleanline Supplies", "Homestead Distribution"),
        goods=(
            _good("washing-up liquid", 1.49, "Lemon|Aloe|Sensitive|Lime", "500 ml|1 l"),
            _good("laundry detergent", 6.99, "Colour|White|Sensitive|Sport", "20 washes|40 washes|80 washes"),
            _good("kitchen roll", 2.29, "Classic|Recycled|Extra strong", "2 rolls|4 rolls|8 rolls"),
            _good("bin bags", 2.19, "Drawstring|Compostable|Heavy duty", "20 l|35 l|60 l|120 l"),
            _good("all-purpose cleaner", 2.59, "Citrus|Pine|Unscented", "750 ml|1.5 l"),
            _good("sponges", 1.29, "Scouring|Soft|Cellulose", "3 pieces|6 pieces"),
            _good("frying pan", 21.90, "Non-stick|Cast iron|Stainless steel", "20 cm|24 cm|28 cm"),
            _good("food container", 4.49, "Glass|Clip-lid|Stackable", "0.5 l|1 l|2 l"),
            _good("candle", 3.99, "Vanilla|Beeswax|Unscented|Cedar", "small|medium|large"),
        ),
    ),
    Department(
        "Personal care",
        "CAR",
        "Soap, shampoo, teeth, skin and first aid",
        units=1.5,
        margin=(0.30, 0.50),
        brands=("Lumina", "Pure & Plain", "Dr. Wendell"),
        suppliers=("Apex Care Partners", "Homestead Distribution"),
        goods=(
            _good("soap", 1.69, "Olive|Lavender|Oat milk|Unscented", "100 g|3 x 100 g"),
            _good("shampoo", 3.79, "Repair|Volume|Anti-dandruff|Mild", "250 ml|400 ml"),
            _good("toothpaste", 2.29, "Fresh mint|Whitening|Sensitive|Children's", "75 ml|2 x 75 ml"),
            _good("toothbrush", 2.49, "Soft|Medium|Bamboo", "single|twin pack"),
            _good("hand cream", 3.49, "Camomile|Shea|Urea 5 %", "50 ml|100 ml"),
            _good("sun lotion", 8.99, "SPF 15|SPF 30|SPF 50", "100 ml|200 ml"),
            _good("plasters", 2.99, "Waterproof|Sensitive|Children's", "20 pieces|50 pieces"),
        ),
    ),
    Department(
        "Electronics",
        "ELE",
        "Cables, sound, light, power and small devices",
        units=1.1,
        margin=(0.14, 0.30),
        brands=("Voltara", "Kestrel", "Nimbus Audio", "Corelink"),
        suppliers=("Circuit Direct", "Pacific Components"),
        goods=(
            _good("mouse", 17.90, "Wireless|Vertical|Silent|Gaming", "black|white"),
            _good("keyboard", 34.90, "Compact|Mechanical|Wireless|Low-profile", "black|white"),
            _good("headphones", 49.90, "Over-ear|In-ear|Noise-cancelling|Sport", "black|silver|blue"),
            _good("USB-C cable", 8.90, "Braided|Flat|Fast-charging", "0.5 m|1 m|2 m"),
            _good("power bank", 24.90, "Slim|Fast-charging|Solar", "5,000 mAh|10,000 mAh|20,000 mAh"),
            _good("LED lamp", 5.49, "Warm white|Daylight|Dimmable|Smart", "5 W|9 W|14 W"),
            _good("speaker", 39.90, "Portable|Shelf|Shower|Outdoor", "small|medium|large"),
            _good("batteries", 3.99, "Alkaline|Lithium|Rechargeable", "4 x AAA|4 x AA|2 x D"),
        ),
    ),
    Department(
        "Tools",
        "TOO",
        "Hand tools, power tools, fixings and measuring",
        units=1.3,
        margin=(0.25, 0.42),
        brands=("Ironwood", "Hartmann & Sons", "Fixwell"),
        suppliers=("Toolmakers Union", "Pacific Components"),
        goods=(
            _good("screwdriver", 5.90, "Slotted|Phillips|Torx|Insulated", "75 mm|100 mm|150 mm"),
            _good("hammer", 14.90, "Claw|Club|Rubber", "300 g|500 g|800 g"),
            _good("drill bits", 7.90, "Wood|Metal|Masonry", "5 pieces|10 pieces|19 pieces"),
            _good("cordless drill", 79.00, "Compact|Impact|Angle", "12 V|18 V"),
            _good("screws", 3.49, "Wood|Drywall|Stainless", "100 pieces|250 pieces|500 pieces"),
            _good("tape measure", 6.90, "Steel|Magnetic|Laser", "3 m|5 m|8 m"),
            _good("spanner", 6.49, "Combination|Adjustable|Ratchet", "10 mm|13 mm|17 mm|19 mm"),
        ),
    ),
    Department(
        "Stationery",
        "STA",
        "Paper, pens and what an office needs",
        units=2.1,
        margin=(0.35, 0.55),
        brands=("Inkwell", "Folio", "Clearline"),
        suppliers=("Papermill Direct",),
        goods=(
            _good("notebook", 2.99, "Lined|Squared|Plain|Dotted", "A6|A5|A4"),
            _good("ballpoint pens", 2.49, "Blue|Black|Red|Assorted", "4 pieces|10 pieces"),
            _good("copy paper", 4.99, "White|Recycled|Ivory", "500 sheets|5 x 500 sheets"),
            _good("folder", 1.99, "Ring|Suspension|Elastic", "A5|A4"),
            _good("envelopes", 2.79, "Plain|Window|Padded", "25 pieces|100 pieces"),
            _good("markers", 3.89, "Permanent|Whiteboard|Text", "4 pieces|8 pieces"),
        ),
    ),
    Department(
        "Toys and games",
        "TOY",
        "For rainy days and birthdays",
        units=1.1,
        margin=(0.32, 0.48),
        brands=("Tinker Fox", "Bluebell"),
        suppliers=("Playhouse Imports",),
        goods=(
            _good(
                "jigsaw puzzle",
                9.90,
                "Harbour|World map|Forest animals|Old town",
                "100 pieces|500 pieces|1000 pieces",
            ),
            _good("building blocks", 14.90, "Wooden|Coloured|Magnetic", "40 pieces|80 pieces"),
            _good("board game", 22.90, "Family|Strategy|Memory|Travel", "2-4 players|3-6 players"),
            _good("plush animal", 12.90, "Fox|Bear|Rabbit|Whale", "20 cm|35 cm"),
            _good("modelling clay", 5.90, "Bright|Pastel|Natural", "4 colours|8 colours"),
        ),
    ),
    Department(
        "Garden",
        "GAR",
        "Seeds, soil, pots and tools for outdoors",
        units=1.7,
        margin=(0.30, 0.50),
        brands=("Rosewood", "Fixwell", "Terra Verde"),
        suppliers=("Greenfield Wholesale", "Toolmakers Union"),
        goods=(
            _good("seeds", 1.99, "Tomato|Basil|Sunflower|Carrot|Meadow flower", "1 sachet|3 sachets"),
            _good("potting soil", 5.49, "Universal|Peat-free|Herb|Rose", "10 l|20 l|40 l"),
            _good("plant pot", 6.90, "Terracotta|Zinc|Self-watering", "12 cm|18 cm|30 cm"),
            _good("garden hose", 24.90, "Flexible|Soaker|Reinforced", "15 m|25 m"),
            _good("secateurs", 16.90, "Bypass|Anvil|Ratchet", "small|large"),
        ),
    ),
    Department(
        "Sports",
        "SPO",
        "Running, cycling, training and the way there",
        units=1.2,
        margin=(0.28, 0.46),
        brands=("Stride", "Kestrel", "Summit Peak"),
        suppliers=("Summit Outfitters",),
        goods=(
            _good("water bottle", 9.90, "Steel|Insulated|Foldable", "0.5 l|0.75 l|1 l"),
            _good("yoga mat", 19.90, "Cork|Travel|Extra thick", "173 cm|183 cm"),
            _good("bicycle light", 14.90, "Front|Rear|Helmet", "40 lux|80 lux"),
            _good("resistance band", 7.90, "Light|Medium|Strong", "single|set of 3"),
            _good("rucksack", 39.90, "Day|Running|Commuter", "12 l|20 l|28 l"),
        ),
    ),
)

# What each brand calls the lines of its goods: its models.
LINES = {
    "household": ("Classic", "Select", "Every Day", "Premium"),
    "technical": ("Series 3", "Series 5", "Pro", "Compact", "Plus"),
}
TECHNICAL_BRANDS = frozenset(
    {
        "Voltara",
        "Kestrel",
        "Nimbus Audio",
        "Corelink",
        "Ironwood",
        "Hartmann & Sons",
        "Fixwell",
        "Stride",
        "Summit Peak",
    }
)


def lines_of(brand: str) -> tuple[str, ...]:
    """Return the names of a brand's models."""
    return LINES["technical" if brand in TECHNICAL_BRANDS else "household"]


TRADERS = (
    Trader(
        "Northern Foods Ltd", "orders@northern-foods.example", "+44 20 7946 0101", "Dry goods, twice a week"
    ),
    Trader("Mercato Trading", "ordini@mercato.example", "+44 20 7946 0117", "Pasta, oil and tins from Italy"),
    Trader(
        "Greenfield Wholesale",
        "sales@greenfield.example",
        "+44 20 7946 0125",
        "Organic goods and garden stock",
    ),
    Trader(
        "Bean & Leaf Importers",
        "hello@beanandleaf.example",
        "+44 20 7946 0133",
        "Coffee and tea, monthly roast list",
    ),
    Trader(
        "Cleanline Supplies", "desk@cleanline.example", "+44 20 7946 0149", "Cleaning goods by the pallet"
    ),
    Trader("Homestead Distribution", "orders@homestead.example", "+44 20 7946 0158", "Kitchen and bathroom"),
    Trader(
        "Apex Care Partners",
        "trade@apexcare.example",
        "+44 20 7946 0162",
        "Cosmetics, needs a batch number on returns",
    ),
    Trader("Circuit Direct", "b2b@circuitdirect.example", "+44 20 7946 0170", "Small electronics, next day"),
    Trader(
        "Pacific Components", "export@pacificcomponents.example", "+1 202 555 0143", "Sea freight, six weeks"
    ),
    Trader("Toolmakers Union", "kontor@toolmakers.example", "+44 20 7946 0188", "Hand and power tools"),
    Trader("Papermill Direct", "orders@papermill.example", "+44 20 7946 0194", "Paper and office goods"),
    Trader(
        "Playhouse Imports", "team@playhouse.example", "+44 20 7946 0203", "Toys, large order before December"
    ),
    Trader("Summit Outfitters", "trade@summitoutfitters.example", "+1 202 555 0171", "Sports goods"),
    Trader(
        "Riverside Cash & Carry",
        "counter@riverside.example",
        "+44 20 7946 0219",
        "For what ran out unexpectedly",
    ),
    Trader(
        "Old Harbour Auctions",
        "office@oldharbour.example",
        "+44 20 7946 0226",
        "Remainders, when there are any",
    ),
)

LOSSES = ("Broken on the shelf", "Past its date", "Missing at the count", "Used as a display")
FINDS = ("Found at the count", "Returned by a customer", "Sent in excess")
