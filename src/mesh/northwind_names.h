// Words that generated Northwind rows are made of.
#pragma once

#include <array>
#include <string_view>

namespace meesh::mesh {

struct NorthwindPlace {
  std::string_view city, region;  // region "": the country has none, or nobody writes it
};

struct NorthwindCountry {
  /// As people write it, the most usual first.
  std::array<std::string_view, 4> spellings;
  uint64_t weight;
  std::array<NorthwindPlace, 4> places;
  std::array<std::string_view, 4> streets, companies, first_names, last_names;
  std::string_view dialing;
  bool number_first;  // in an address
};

inline constexpr std::array<NorthwindCountry, 14> kNorthwindCountries{{
    {{"USA", "U.S.A.", "United States", "usa"},
     16,
     {{{"Portland", "OR"}, {"Boise", "ID"}, {"Seattle", "WA"}, {"Albuquerque", "NM"}}},
     {"Main Street", "Oak Avenue", "Harbor Road", "Station Drive"},
     {"Harvest Market", "Corner Pantry", "Lakeside Foods", "Pioneer Provisions"},
     {"Susan", "Howard", "Denise", "Walter"},
     {"Parker", "Hughes", "Reyes", "Lindgren"},
     "(503) 555-",
     true},
    {{"Germany", "Deutschland", "germany", "Germany "},
     13,
     {{{"Köln", ""}, {"Leipzig", ""}, {"Mannheim", ""}, {"Bremen", ""}}},
     {"Gartenstraße", "Am Markt", "Lindenweg", "Hafenstraße"},
     {"Feinkost Brandt", "Kolonialwaren Voss", "Genussladen Ost", "Gasthof Linde"},
     {"Jürgen", "Anke", "Holger", "Sabine"},
     {"Schröder", "Weiß", "Kramer", "Böhm"},
     "0221-55",
     false},
    {{"France", "FRANCE", "france", "France"},
     12,
     {{{"Lyon", ""}, {"Nantes", ""}, {"Lille", ""}, {"Bordeaux", ""}}},
     {"rue des Halles", "avenue du Port", "place de l'Horloge", "quai Saint-Jean"},
     {"Épicerie du Canal", "Comptoir d'Armor", "Maison Delmas", "Au Panier d'Or"},
     {"Hélène", "Gérard", "Odile", "François"},
     {"Lefèvre", "Morel", "Gauthier", "Besson"},
     "04.78.55.",
     true},
    {{"UK", "United Kingdom", "U.K.", "Great Britain"},
     10,
     {{{"London", ""}, {"Leeds", ""}, {"Cowes", "Isle of Wight"}, {"Bristol", ""}}},
     {"Mill Lane", "Queen's Road", "Church Street", "Wharf Terrace"},
     {"Thistle & Oat", "Harbour Larder", "King's Grocers", "Bramble Tearooms"},
     {"Fiona", "Alastair", "Heather", "Rupert"},
     {"Ashcroft", "Pemberton", "Doyle", "Whitaker"},
     "(171) 555-",
     true},
    {{"Brazil", "Brasil", "brazil", "BRAZIL"},
     10,
     {{{"Campinas", "SP"}, {"Niterói", "RJ"}, {"Curitiba", "PR"}, {"Santos", "SP"}}},
     {"Rua das Flores", "Avenida do Sol", "Largo da Matriz", "Rua do Comércio"},
     {"Empório Tropical", "Casa do Grão", "Mercearia Aurora", "Sabor do Vale"},
     {"Luciana", "Rogério", "Beatriz", "Otávio"},
     {"Nogueira", "Araújo", "Teixeira", "Pacheco"},
     "(19) 555-",
     false},
    {{"Mexico", "México", "mexico", "Mexico"},
     6,
     {{{"Puebla", ""}, {"Guadalajara", ""}, {"Mérida", ""}, {"México D.F.", ""}}},
     {"Calle Morelos", "Avenida Juárez", "Callejón del Sol", "Paseo Real"},
     {"Abarrotes La Luna", "Cocina Doña Rosa", "El Trigal", "Despensa del Centro"},
     {"Guadalupe", "Ignacio", "Marisol", "Héctor"},
     {"Salgado", "Ibarra", "Montes", "Quiroga"},
     "(5) 555-",
     false},
    {{"Spain", "España", "spain", "Spain"},
     6,
     {{{"Madrid", ""}, {"Sevilla", ""}, {"Bilbao", ""}, {"Valencia", ""}}},
     {"Calle Mayor", "Paseo del Río", "Plaza Nueva", "Ronda Sur"},
     {"Ultramarinos Pilar", "La Alacena", "Bodega Jaén", "Frutos del Sur"},
     {"Pilar", "Gonzalo", "Rocío", "Álvaro"},
     {"Cano", "Rubio", "Navarro", "Echeverría"},
     "(91) 555 ",
     false},
    {{"Italy", "Italia", "italy", "Italy"},
     5,
     {{{"Torino", ""}, {"Bergamo", ""}, {"Reggio Emilia", ""}, {"Lecce", ""}}},
     {"Via Garibaldi", "Corso Roma", "Piazza del Grano", "Via dei Mille"},
     {"Bottega Serafini", "Alimentari Conti", "La Dispensa", "Forno Antico"},
     {"Ornella", "Tommaso", "Chiara", "Silvio"},
     {"Ferrari", "Galli", "Marchetti", "Rinaldi"},
     "011-55",
     false},
    {{"Canada", "CANADA", "canada", "Canada"},
     4,
     {{{"Vancouver", "BC"}, {"Montréal", "Québec"}, {"Calgary", "AB"}, {"Victoria", "BC"}}},
     {"Maple Street", "Fraser Way", "Rue Sherbrooke", "Bow Trail"},
     {"Northern Basket", "Érable et Fils", "Prairie Pantry", "Coastline Foods"},
     {"Colette", "Graham", "Noëlle", "Duncan"},
     {"Tremblay", "MacLeod", "Gagnon", "Sinclair"},
     "(604) 555-",
     true},
    {{"Austria", "Österreich", "austria", "Austria"},
     4,
     {{{"Graz", ""}, {"Salzburg", ""}, {"Linz", ""}, {"Wien", ""}}},
     {"Getreidegasse", "Kirchplatz", "Murgasse", "Donaulände"},
     {"Jausenstation Huber", "Greißlerei Moser", "Handel Steiner", "Café Zauner"},
     {"Leopold", "Resi", "Anton", "Vroni"},
     {"Huber", "Steiner", "Moser", "Gruber"},
     "0316-55",
     false},
    {{"Sweden", "Sverige", "sweden", "Sweden"},
     4,
     {{{"Luleå", ""}, {"Malmö", ""}, {"Uppsala", ""}, {"Bräcke", ""}}},
     {"Storgatan", "Björkvägen", "Åsgatan", "Torget"},
     {"Norrlands Livs", "Bergs Skafferi", "Hav & Hjortron", "Lantköket"},
     {"Ingrid", "Lars-Erik", "Astrid", "Göran"},
     {"Nyström", "Åkesson", "Sjöberg", "Dahl"},
     "0920-55",
     false},
    {{"Switzerland", "Schweiz", "Suisse", "switzerland"},
     3,
     {{{"Bern", ""}, {"Genève", ""}, {"Luzern", ""}, {"Lausanne", ""}}},
     {"Bundesgasse", "Rue du Lac", "Hirschengraben", "Chemin Vert"},
     {"Alpen Spezereien", "Laiterie du Lac", "Käse & Co.", "Zum Goldenen Ährli"},
     {"Urs", "Martine", "Reto", "Vreni"},
     {"Zbinden", "Rochat", "Lüthi", "Favre"},
     "031-55",
     false},
    {{"Ireland", "IRELAND", "ireland", "Ireland"},
     3,
     {{{"Cork", "Co. Cork"}, {"Galway", "Co. Galway"}, {"Dublin", ""}, {"Sligo", "Co. Sligo"}}},
     {"Shop Street", "Grand Parade", "Abbey Road", "Quay Lane"},
     {"The Owl & Oyster", "Shannon Stores", "Clover Dairy", "Murphy's Larder"},
     {"Siobhán", "Declan", "Aoife", "Fergus"},
     {"McKenna", "O'Sullivan", "Byrne", "Gallagher"},
     "2967 55",
     true},
    {{"Venezuela", "VENEZUELA", "venezuela", "Venezuela"},
     4,
     {{{"Caracas", "DF"}, {"Barquisimeto", "Lara"}, {"San Cristóbal", "Táchira"}, {"Mérida", ""}}},
     {"Avenida Bolívar", "Carrera Sucre", "Calle Real", "Avenida Los Palos"},
     {"Abastos Ávila", "Supermercado Lara", "La Arepera", "Delicateses Sol"},
     {"Yolanda", "Rafael", "Maritza", "Simón"},
     {"Rangel", "Urdaneta", "Mijares", "Pinto"},
     "(2) 555-",
     false},
}};

struct NorthwindCategory {
  std::string_view name, description;
  std::array<std::string_view, 6> kinds;
};

inline constexpr std::array<NorthwindCategory, 8> kNorthwindCategories{{
    {"Beverages",
     "Juices, teas, coffees and beers",
     {"Apple Juice", "Mountain Tea", "Dark Roast Coffee", "Amber Ale", "Ginger Fizz",
      "Elderflower Cordial"}},
    {"Condiments",
     "Sauces, spreads, spices and oils",
     {"Plum Chutney", "Pepper Sauce", "Walnut Oil", "Herb Salt", "Cider Vinegar", "Fig Spread"}},
    {"Confections",
     "Chocolate, biscuits and other sweets",
     {"Nougat Bar", "Almond Biscuits", "Honey Drops", "Dark Truffles", "Marzipan Loaf",
      "Butter Toffee"}},
    {"Dairy Products",
     "Cheese, butter and yoghurt",
     {"Alpine Cheese", "Goat Cheese", "Salted Butter", "Blue Cheese", "Skyr", "Smoked Curd"}},
    {"Grains/Cereals",
     "Bread, pasta, flour and flakes",
     {"Rye Crispbread", "Spelt Noodles", "Oat Flakes", "Corn Flour", "Barley Groats",
      "Semolina Gnocchi"}},
    {"Meat/Poultry",
     "Cured and prepared meats",
     {"Air-dried Ham", "Duck Pâté", "Venison Sausage", "Chicken Terrine", "Beef Jerky",
      "Lamb Confit"}},
    {"Produce",
     "Dried fruit, pulses and preserves",
     {"Dried Pears", "Red Lentils", "Pickled Beets", "Sun-dried Tomato", "Chestnuts",
      "Cranberries"}},
    {"Seafood",
     "Fish, shellfish and seaweed",
     {"Smoked Trout", "Pickled Herring", "Crab Paste", "Nori Sheets", "Anchovy Fillets",
      "Cod Roe"}},
}};

inline constexpr std::array<std::string_view, 13> kNorthwindBrands{
    "Old Mill", "Nordlys",     "Casa Verde", "Sunfield", "Zwei Linden",    "Côte Bleue", "Granja",
    "Highmoor", "Terra Buona", "Silberbach", "Maritim",  "Little Orchard", "Val d'Or"};

inline constexpr std::array<std::string_view, 8> kNorthwindPackings{
    "10 boxes x 20 bags", "24 - 12 oz bottles", "12 - 550 ml bottles", "16 kg pkg.",
    "36 boxes",           "20 - 1 kg tins",     "48 pieces",           "5 kg pkg."};

inline constexpr std::array<std::string_view, 6> kNorthwindTitles{"Owner",
                                                                  "Sales Representative",
                                                                  "Marketing Manager",
                                                                  "Order Administrator",
                                                                  "Accounting Manager",
                                                                  "Sales Associate"};

}  // namespace meesh::mesh
