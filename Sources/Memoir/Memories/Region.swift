// How large a place is, by its name: somebody who lives in Portugal may well live in Lisbon.

/// Places of which one may contain another. What is in none of the lists is taken for a town.
///
/// Names that are also those of towns stay out (New York, Singapore, Luxembourg): a town takes the place of a town.
enum Region: Int {
  case continent, country, province, town

  /// - Parameter words: In lower case.
  init(_ words: [String]) {
    let name = (words.first == "the" ? words.dropFirst() : words[...]).joined(separator: " ")
    self =
      if Self.continents.contains(name) { .continent } else if Self.countries.contains(name) {
        .country
      } else if Self
        .provinces.contains(name)
      { .province } else { .town }
  }

  private static func names(_ lines: String) -> Set<String> {
    Set(
      lines.split(whereSeparator: { $0 == "," || $0.isNewline }).map { name in
        name.split(separator: " ").joined(separator: " ")
      })
  }

  private static let continents = names(
    """
    africa, asia, europe, north america, south america, latin america, central america, oceania, middle east,
    scandinavia, eu, european union, caribbean, balkans
    """)

  private static let countries = names(
    """
    afghanistan, albania, algeria, andorra, angola, argentina, armenia, australia, austria, azerbaijan, bahamas,
    bahrain, bangladesh, barbados, belarus, belgium, belize, benin, bhutan, bolivia, bosnia, bosnia and herzegovina,
    botswana, brazil, brunei, bulgaria, burkina faso, burma, burundi, cambodia, cameroon, canada, cape verde, chad,
    chile, china, colombia, congo, costa rica, croatia, cuba, cyprus, czechia, czech republic, denmark, dominica,
    dominican republic, ecuador, egypt, el salvador, eritrea, estonia, eswatini, ethiopia, fiji, finland,
    france, gabon, gambia, georgia, germany, ghana, great britain, greece, greenland, grenada, guinea, guyana, haiti,
    holland, honduras, hungary, iceland, india, indonesia, iran, iraq, ireland, israel, italy, ivory coast, jamaica,
    japan, jordan, kazakhstan, kenya, korea, kosovo, kyrgyzstan, laos, latvia, lebanon, lesotho, liberia, libya,
    liechtenstein, lithuania, madagascar, malawi, malaysia, maldives, mali, malta, mauritania, mauritius, moldova,
    mongolia, montenegro, morocco, mozambique, myanmar, namibia, nepal, netherlands, new zealand, nicaragua, niger,
    nigeria, north korea, north macedonia, norway, oman, pakistan, palestine, papua new guinea,
    paraguay, peru, philippines, poland, portugal, puerto rico, qatar, romania, russia, rwanda, samoa, saudi arabia,
    senegal, serbia, seychelles, sierra leone, slovakia, slovenia, somalia, south africa, south korea,
    south sudan, spain, sri lanka, sudan, suriname, sweden, switzerland, syria, taiwan, tajikistan, tanzania, thailand,
    togo, tonga, trinidad, tunisia, turkey, turkmenistan, uganda, ukraine, united arab emirates, uae, united kingdom,
    uk, united states, united states of america, us, usa, america, uruguay, uzbekistan, venezuela, vietnam, yemen, zambia, zimbabwe
    """)

  private static let provinces = names(
    """
    england, scotland, wales, northern ireland, alabama, alaska, arizona, arkansas, california, colorado, connecticut, delaware, florida, hawaii, idaho, illinois,
    indiana, iowa, kansas, kentucky, louisiana, maine, maryland, massachusetts, michigan, minnesota, mississippi,
    missouri, montana, nebraska, nevada, new hampshire, new jersey, new mexico, north carolina, north dakota, ohio,
    oregon, pennsylvania, rhode island, south carolina, south dakota, tennessee, texas, utah, vermont, virginia,
    west virginia, wisconsin, wyoming, new england, alberta, british columbia, manitoba, new brunswick, newfoundland,
    nova scotia, ontario, saskatchewan, new south wales, queensland, tasmania, western australia, bavaria, saxony,
    hesse, brandenburg, catalonia, andalusia, galicia, algarve, provence, normandy, brittany, alsace, tuscany, sicily,
    sardinia, lombardy, piedmont, tyrol, flanders, wallonia, cornwall, devon, kent, yorkshire, kerala, karnataka,
    tamil nadu, maharashtra, gujarat, rajasthan, punjab, goa, hokkaido, okinawa
    """)
}
