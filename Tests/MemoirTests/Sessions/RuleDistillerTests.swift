// What the rules make of conversations of our own.
import EventStore
import JSON
import TestSupport
import Testing

@testable import Memoir

/// What the rules make of a conversation of the person and the assistant in turn.
private func distilled(_ texts: String...) -> Distillation { distilled(texts) }

private func distilled(_ texts: [String]) -> Distillation {
  RuleDistiller().distilled(
    SessionTranscript(
      user: .bob, session: .named("s"),
      messages: texts.enumerated().map { index, text in
        SessionTranscript.Message(
          eventID: .number(index + 1), version: StreamVersion(UInt64(index + 1)),
          role: index % 2 == 0 ? .user : .assistant, content: text, occurredAt: .earliest)
      }))
}

extension Distillation {
  fileprivate var lines: [String] { memories.map { "\($0.category): \($0.content)" } }
}

@Suite struct `The rules` {
  @Test func `find in work on software what was decided, done, fixed, left open and switched`() {
    let made = distilled(
      "Morning! I'm working on the billing service again. We use PostgreSQL 15 and everything runs on AWS ECS.",
      "Good morning! What would you like to tackle today?",
      "The nightly invoice job takes 40 minutes. It must finish in under ten minutes, and the budget is frozen until July.",
      "You could batch the inserts, or move the totals into a materialized view. Which one do you prefer?",
      "What would the materialized view cost us on writes?",
      "A refresh takes about two minutes each night, and normal writes are not affected.",
      "OK, let's go with the materialized view then.",
      "Great. I have created the migration:\n```sql\n-- we decided to use Oracle\nDROP TABLE x;\n```\nShould I add an index?",
      "If we ever moved to MySQL we would have to redo this. Tom said we decided to drop Redis, but I'm not sure.",
      "Understood.",
      "I still need to write the rollback script.", "Noted.",
      "One more thing: we switched from Jenkins to GitHub Actions last week. Thanks, that's all!", "Have a good day!")
    #expect(
      made.lines == [
        "fact: We use PostgreSQL 15 and everything runs on AWS ECS.",
        "constraint: It must finish in under ten minutes, and the budget is frozen until July.",
        "decision: Let's go with the materialized view then.",
        "completion: Done: “I have created the migration:”",
        "task: Still needs to write the rollback script.",
        "fact: One more thing: we switched from Jenkins to GitHub Actions last week.",
      ])
    #expect(made.summary.contains("billing service") && made.summary.contains("rollback script"))
    #expect(made.memories.allSatisfy { !$0.content.contains("Oracle") && !$0.content.contains("Redis") })
    #expect(made.memories[1].sourceMessageID?.description == EventID.number(3).description)
  }

  @Test func `leave out what was said before a sentence proper, also where a comma stands alone`() {
    let made = distilled(
      "Yes , I like to stay at the seaside.", "Noted.", "Book the film Gandhi for me",
      "Please once again can you confirm that you want to watch the film Gandhi at five?", "Yes, that is right.",
      "Your tickets for the film have been booked.")
    #expect(made.lines.contains("preference: Likes to stay at the seaside."), "\(made.lines)")
    #expect(
      made.lines.contains { $0.hasPrefix("completion: Done: “you want to watch the film Gandhi at five") },
      "\(made.lines)")
  }

  @Test func `find in the plans of a journey what was agreed and booked`() {
    let made = distilled(
      "Hi, my name is Marta and I live in Porto with my two kids. We're planning a trip to Japan in October.",
      "Lovely! How long would you like to stay?",
      "Two weeks. We can't spend more than 6000 euros in total.",
      "I'd suggest six nights in Kyoto and six in Tokyo. How does that sound?",
      "That sounds wonderful. I hate early flights though, nothing before nine please.",
      "I found a flight via Frankfurt leaving at 11:20 for 890 euros per person.",
      "Are there any direct ones?", "No, there are no direct flights from Porto.", "Alright, book it.",
      "I've booked three seats on the 11:20 flight via Frankfurt.",
      "Perfect. I still have to renew my passport.")
    #expect(
      made.lines == [
        "fact: Lives in Porto with their two kids.",
        "constraint: We can't spend more than 6000 euros in total.",
        "preference: Hates early flights though, nothing before nine.",
        "decision: Agreed to “I found a flight via Frankfurt leaving at 11:20 for 890 euros per person.”.",
        "completion: Done: “I've booked three seats on the 11:20 flight via Frankfurt.”",
        "task: Still has to renew their passport.",
      ])
  }

  @Test func `find in a talk about the family what is so, and what was declined`() {
    let made = distilled(
      "my mother is moving in with us next month, i'm a bit overwhelmed", "What worries you most?",
      "I work nights at the hospital. What if she doesn't like our food?",
      "Then cook one of her dishes twice a week. Do you want me to draft a plan?",
      "No, not now. \"I will never eat broccoli\", she told me.")
    #expect(
      made.lines == [
        "fact: Mother is moving in with us next month, they're a bit overwhelmed.",
        "fact: Works nights at the hospital.",
        "decision: Declined “Do you want me to draft a plan?”: “No, not now.”",
      ])
  }

  @Test(arguments: [
    "Should we go with Kafka?", "Could you book it for me?", "What if we decided to use Rust?",
    "Maybe I prefer tea.x", "Thanks, that's all!", "Hello there, how are you?", "hi", "ok", "???", "", "\n\n",
    "Ich wohne in Köln und arbeite bei einer Bank.", "我喜欢喝茶。我住在上海。", "> we decided to use Kafka",
    "```\nwe decided to use Kafka\nI need to fix this\n```", "    we decided to use Kafka",
    "“We decided to use Kafka”, he said.",
  ])
  func `make nothing up of questions, greetings, quotations, code and other languages`(text: String) {
    #expect(distilled(text).lines.filter { !$0.hasPrefix("preference") } == [])
  }

  @Test func `take no offer for a decision`() {
    #expect(
      distilled("Find me a hotel in Rome.", "I suggest the Bellini. We decided on it for others, too.").lines.allSatisfy
      {
        !$0.hasPrefix("decision")
      })
  }

  @Test func `take a task for done where that is said later`() {
    let open = distilled("I need to write the rollback script for billing.")
    let done = distilled(
      "I need to write the rollback script for billing.", "OK.", "I've finished the rollback script.")
    #expect(open.lines.map { $0.prefix(4) } == ["task"])
    #expect(done.lines == ["completion: Has finished the rollback script."])
  }

  @Test func `keep a task open where something else was done`() {
    let task = "I still need to renew the passport of my daughter."
    let lines = distilled(task, "OK.", "I've paid the hotel near the passport office.").lines
    #expect(lines.contains("task: \(ThirdPerson.text(of: task))"))
    #expect(
      distilled("I need to buy shoes for hiking.", "OK.", "I paid the electricity bill.").lines.contains(
        "task: Needs to buy shoes for hiking."))
    #expect(!distilled("I need to buy shoes.", "OK.", "I bought the shoes.").lines.contains { $0.hasPrefix("task") })
  }

  @Test(arguments: [
    "I don't think that sounds good.", "That's great for people who don't sleep, not me.",
    "My sister is good at sewing.", "My knee is perfect again.", "That sounds good, but it's too far away.",
    "That sounds good but I hate the place itself.", "I doubt that works.", "If it rains that works.",
    "She said that sounds good.",
  ])
  func `hear no agreement in a doubt or in praise of something else`(answer: String) {
    for offer in ["I found a quiet room at the Bellini.", "Would you like me to call the Bellini?"] {
      #expect(!distilled("Find a room.", offer, answer).lines.contains { $0.contains("Agreed to") })
    }
  }

  @Test(arguments: ["That is good.", "Is perfect, thanks.", "This is great!", "That sounds good."])
  func `hear an agreement in praise of the offer`(answer: String) {
    let made = distilled("Find a room.", "I found a quiet room at the Bellini.", answer)
    #expect(made.lines.contains { $0.contains("Agreed to") })
  }

  @Test(arguments: [
    "Translate this into French: I live in Berlin. I prefer tea.", "Please proofread:\nI am allergic to nuts.",
    "Can you summarize this? We decided to use Kafka for billing.", "Reply to this mail.\nI work in Oslo.",
    "My boss wrote we decided to use Kafka for billing.", "She asked whether I live in Berlin.",
    "My father used to say I prefer books.", "I didn't say I live in Berlin.",
  ])
  func `take no words of others for the person's own`(text: String) { #expect(distilled(text).lines == []) }

  @Test func `read what stands before a text that is handed over`() {
    #expect(
      distilled("I live in Porto. Translate this: I work in Oslo. I prefer tea.").lines == ["fact: Lives in Porto."])
    #expect(distilled("I wrote the guide for billing.").lines == ["completion: Wrote the guide for billing."])
  }

  @Test(arguments: [
    "We haven't decided to move the database.", "We haven't switched from Jenkins to Buildkite.",
    "We haven't agreed on pricing for Europe.", "We never moved from Oracle to MySQL.",
  ])
  func `know a denied decision or switch`(text: String) {
    #expect(!distilled(text).lines.contains { $0.hasPrefix("decision") || $0.hasPrefix("fact") })
  }

  @Test(arguments: [
    "We decided against moving the database.", "We decided not to move the database.",
    "Don't worry, let's go with the materialized view.",
  ])
  func `know a decision with a not in it`(text: String) {
    #expect(distilled(text).lines.map { $0.prefix(8) } == ["decision"])
  }

  @Test(arguments: [
    "I still need to book the hotel with Anna for 2 nights.", "I still have to pay at least the first invoice.",
    "We have yet to find a caterer.", "I still need to fix the API.",
  ])
  func `take what is still to be done for a task, however specific`(text: String) {
    let made = distilled(text)
    #expect(made.lines.map { $0.prefix(4) } == ["task"] && made.memories.allSatisfy { $0.confidence == 0.9 })
  }

  @Test(arguments: [
    "I don't have to renew the passport.", "I'd have to renew the passport.", "I'm going to sleep with the cat.",
    "There is a bakery with bread.", "It was less than I feared.", "I have to go now.",
    "There is nothing left to do.", "It's not supposed to crash.",
  ])
  func `find neither task nor constraint where nothing is to be done`(text: String) {
    #expect(distilled(text).lines == [])
  }

  @Test(arguments: [
    "It should take less than two hours.", "The ride takes less than an hour.", "I shouldn't eat too much salt.",
    "I'm not supposed to lift heavy things.", "I should not drink coffee.",
  ])
  func `find a constraint in a measure and in what the person is not to do`(text: String) {
    #expect(distilled(text).lines.map { $0.prefix(10) } == ["constraint"])
  }

  @Test(arguments: [
    "I take warfarin every evening.", "I need insulin twice a day.", "My grandmother died.",
    "My grandmother passed away.", "We're getting married in June.", "I don't drink.", "I don't eat pork.",
    "I quit my job.", "I stopped smoking.",
  ])
  func `find facts of health and life`(text: String) {
    #expect(distilled(text).lines.map { $0.prefix(4) } == ["fact"])
  }

  @Test(arguments: ["My phone died.", "I take the second one.", "I stopped by the office."])
  func `take no passing remark for a fact of life`(text: String) { #expect(distilled(text).lines == []) }

  @Test func `know entries that are ticked off from those that are not`() {
    let made = distilled("For today:\n- [ ] call the bank\n- [x] renew the passport")
    #expect(made.lines == ["task: Call the bank.", "completion: Renew the passport."])
  }

  @Test func `keep six at most, of every kind there is`() {
    let made = distilled((1...40).map { "I prefer number \($0) over all others." })
    #expect(made.memories.count == 6)
    let mixed = distilled(
      (1...10).flatMap { ["I prefer number \($0).", "OK."] } + ["I live in Rome.", "OK.", "I must not eat fish."])
    #expect(Set(mixed.memories.map(\.category)) == ["preference", "fact", "constraint"])
  }

  @Test func `are done with a megabyte in a moment`() {
    let begun = ContinuousClock.now
    let made = distilled(
      String(repeating: "I live in Lisbon and I prefer tea. ", count: 30_000), String(repeating: "x", count: 1 << 20),
      String(repeating: "é", count: 1 << 19), "ok")
    #expect(made.memories.count <= 6 && made.memories.allSatisfy { $0.content.utf8.count < 1_000 })
    #expect(made.summary.utf8.count < 2_000)
    #expect(ContinuousClock.now - begun < .seconds(20))
  }

  @Test func `say the same of the same conversation`() {
    let texts = ["I live in Porto. I prefer tea. We can't pay more than 5 euros.", "OK.", "I need to call the bank."]
    #expect(distilled(texts).lines == distilled(texts).lines && distilled(texts).summary == distilled(texts).summary)
  }

  @Test(arguments: [
    ("I live in Lisbon.", "Lives in Lisbon."), ("I'm allergic to nuts", "Is allergic to nuts."),
    ("I don't like my job.", "Does not like their job."), ("I've finished it!", "Has finished it!"),
    ("I never eat meat, please", "Never eats meat."), ("My name is Ana", "Name is Ana."),
    ("I study law.", "Studies law."), ("I teach.", "Teaches."), ("Actually, I moved to Porto.", "Moved to Porto."),
    ("I can swim and I like it.", "Can swim and they like it."),
    // What cannot be said safely of a third person stays as it was said.
    ("I live here and work there.", "I live here and work there."), ("I like you.", "I like you."),
    ("I blorp my wug.", "I blorp my wug."), ("We use Swift.", "We use Swift."),
  ])
  func `speak of the person as a third one where grammar allows`(said: String, text: String) {
    #expect(ThirdPerson.text(of: said) == text)
  }
}
