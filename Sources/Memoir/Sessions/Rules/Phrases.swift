// The words by which the rules know what is said: English as people speak and write to an assistant.

enum Phrases {
  /// Spellings without an apostrophe, and what is meant.
  static let spellings = [
    "im": "i'm", "ive": "i've", "dont": "don't", "cant": "can't", "wont": "won't", "thats": "that's",
    "lets": "let's", "didnt": "didn't", "doesnt": "doesn't", "isnt": "isn't", "youre": "you're",
    "ofcourse": "of course", "whats": "what's",
  ]
  static let abbreviations: Set<String> = [
    "mr", "mrs", "ms", "dr", "prof", "e.g", "i.e", "eg", "ie", "etc", "vs", "st", "no", "approx", "ca", "inc", "ltd",
    "a.m", "p.m", "u.s", "jr", "sr",
  ]

  /// A sentence that begins so asks, also without a question mark.
  static let questionOpenings = PhraseSet(
    """
    what, what's, when, where, where's, which, who, who's, why, how, how's, can you, could you, would you, will you,
    do you, does, did, is there, are there, is it, is that, are they, should i, should we, shall i, shall we, may i,
    can i, could i, can we, could we, have you, has, am i, do i, do we, do they
    """)
  /// What is only thought of.
  static let hypotheticals = PhraseSet(
    """
    if, unless, would have, could have, should have, what if, maybe, might, perhaps, possibly, suppose, supposing,
    imagine, in theory, hypothetically, i wish, for example, for instance, e g, not sure, thinking about, thinking of,
    i wonder, considering, could be, were to, had i
    """)
  /// What others said.
  static let reports = PhraseSet(
    """
    he said, she said, they said, said that, says that, told me, tells me, according to, he says, she says, they say,
    he thinks, she thinks, they think, they decided, he decided, she decided, i heard, i read, the article, quote,
    asked whether, asked if, used to say, whether i, say i, says i, didn't say
    """)
  /// What one asks to be done with a text that follows.
  static let textRequests = PhraseSet(
    """
    translate, proofread, rewrite, rephrase, paraphrase, correct this, correct the following, summarize, summarise,
    reply to
    """)
  /// What closes a conversation, or opens it, and says nothing else.
  static let courtesies = PhraseSet(
    """
    thanks, thank you, thanks a lot, that's all, that is all, that'll be all, that will be all, that would be all,
    that will do, that's it, that is it, bye, goodbye, hello, hi, hey, good morning, good evening, no thanks,
    no thank you, all set, nothing else, have a, you're welcome, my pleasure, i appreciate, all i need, all i needed,
    great help, you are a helpful
    """)
  /// What an assistant asks before it says goodbye.
  static let furtherHelp = PhraseSet(
    """
    anything else, something else, any other help, any further help, further assistance, else i can, else may i,
    else can i, help you with, need help with, what else, any help, assist you, shall i help, can i help, may i help,
    further questions, anything more
    """)

  // MARK: Answers

  static let agreements = PhraseSet(
    """
    sounds good, sounds great, sounds perfect, sounds excellent, sounds nice, sounds cool, sounds fine, sounds lovely,
    sounds wonderful, sounds interesting, sounds amazing, sounds really good, sounds like a plan, sound excellent,
    sound good, sound great, that works, this works, it works, that'll work, that will work, that would work,
    works for me, works great, that is perfect, it is perfect, this is perfect, which is perfect, be perfect, that is good, it is good,
    this is good, which is good, be good, be great, that is great, it is great, this is great, which is great, was great, be nice,
    i like that, i like it, i like this, i like the, i'll take, i will take, we'll take, i'd love to, i would love to,
    go ahead, that one, good fit, good for me, good to me, looks good, looks great, let's try, let's do, ok i'll go,
    okay i'll go, i'll go, find this agreeable, that's fine, that's great, that's perfect, that's superb, that's good,
    good enough, yes please, i agree, agreed, deal, great idea, good idea, perfect choice, i'm in, count me in,
    will be kewl, would like that, i want that, the song i was looking for, ship it, approved, is awesome, do it, book it,
    reserve it, buy it, order it, take it, make it booked, please do, please reserve it, please book it
    """)
  /// What agrees only where an answer begins so: others may be "good at sewing".
  static let openingAgreements = PhraseSet("is good, is great, is perfect")
  /// With one of these an answer is no plain yes.
  static let doubts = PhraseSet(
    """
    not, don't, doesn't, didn't, isn't, aren't, wasn't, can't, cannot, won't, wouldn't, never, nobody, doubt, whether, but
    """)
  static let assents = PhraseSet(
    """
    yes, yep, yeah, yup, sure, ok, okay, alright, all right, correct, perfect, great, exactly, absolutely, of course,
    definitely, fine, good, excellent, nice, cool, awesome, right, that's right, that is right, that's correct,
    that is correct, that is true, that's fine, please do, go ahead, works, sounds, it is good, it's good, wonderful,
    superb, i assent, i confirm, that will, that would, that works
    """)
  /// A question that has no yes or no: what is said to it is an answer, and no agreement.
  static let openQuestions = PhraseSet(
    "what, which, where, when, how many, how long, who, what's, until when, til what")
  /// A question that puts something forward.
  static let proposals = PhraseSet(
    """
    how about, what about, how does, would you like, what do you think of, do you like, how would you, i suggest, i found,
    i have, i've found, i recommend, i'd go with, we could, you could, there is, there's, there are, another, one is,
    let's, option, options, shall we, should we, alternatively, available, i located, i searched, i propose
    """)
  /// A question about what was put forward; its answer puts nothing new forward.
  static let detailQuestions = PhraseSet(
    """
    what is, what's, what are, what time, what date, what will, what year, what rating, what genre, where, where's, when, how much,
    how many, how long, how far, how humid, how windy, how expensive, how would, is it, is that, is there, are there, does, do they,
    do you have the phone, did, who, which, can i get, can you give, can you tell, can you check, could you tell, could you check,
    and how, and what, and the, address, can i have, get me the, let me know, tell me, find out, please tell, and at what, at what
    """)
  static let refusals = PhraseSet(
    """
    not now, not right now, not yet, another time, later, i don't want, i do not want, don't need, do not need, don't make,
    rather not, never mind, i don't like, i do not like, not for me, too expensive, too late, no need, not interested
    """)
  static let refusalOpenings = PhraseSet("no, nope, not now, not right now, not yet, another time, never mind, nah")
  /// An assistant repeats what it is about to do.
  static let recaps = PhraseSet(
    """
    confirm, confirming, to verify, please verify, make sure, ensure, is this right, is that right, is this correct,
    is that correct, sound right, is this all correct, correct, you want to, you would like, you wish to, you demanded,
    so you, let me repeat, to recap, to summarize
    """)
  /// What stands before the thing itself in a repetition, longest first.
  static let recapOpenings = PhraseSet(
    """
    please confirm the following details, please confirm the following, please confirm these details,
    please confirm the details, please confirm this, please confirm that, please confirm, just to confirm, to confirm,
    confirm that, would you confirm that, would you confirm, can you confirm the following, can you confirm that,
    can you confirm, please once again, once again, confirming,
    i can confirm, to verify, please verify the following details, please verify, kindly ensure that, please ensure that,
    let me make sure that, alright, okay, ok, sure, great, one moment, so, yes, for me, the following, i just need a confirmation
    """)

  // MARK: Kinds

  static let decisions = PhraseSet(
    """
    we decided, i decided, i've decided, we've decided, we have decided, i have decided, decided to, decided on,
    decided that, decided against, let's go with, i'll go with, we'll go with, we go with, i go with, go with, going with,
    let's use, we'll use, we will use, we're going to use, i'll use, i'll take, i will take, we'll take, we will take,
    agreed to, agreed on, we agreed, settled on, we settled, i choose, i chose, we chose, we choose, i pick, i picked,
    we picked, book me, please book, please reserve, please buy, please order, please play, get me, the plan is, final decision, our decision, my decision, opted for, opt for,
    ruled out, let's keep, let's drop, we'll keep, we're keeping, we're dropping, we're moving to, signed up for
    """)
  /// Shortly before a decision or a switch, these say that there was none.
  static let denials: Set<String> = [
    "not", "never", "haven't", "hasn't", "hadn't", "didn't", "aren't", "isn't", "wasn't", "don't", "doesn't", "won't",
  ]
  static let changesOfMind = PhraseSet(
    "actually, instead, rather than, make that, make it, change it to, changed my mind, never mind, scratch that")
  static let switches = PhraseSet(
    """
    switched from, moved from, migrated from, changed from, switching from, moving from, migrating from, changing from,
    switch from, move from, migrate from, change from, upgraded from, went from, moved away from, moving away from
    """)
  static let replacements = PhraseSet(
    """
    replaced, replacing, we replace, switched to, switching to, moved to, migrated to, migrating to, upgraded to, no longer use,
    no longer using, no longer uses, stopped using, now use, now using, now uses
    """)
  static let completions = PhraseSet(
    """
    finished, i've finished, is done, are done, all done, we're done, i'm done, i've done, i did, got done, done with,
    is fixed, i fixed, we fixed, fixed the, fixed it, fixed that, i've fixed, shipped, we shipped, is live, went live,
    deployed, merged, completed, is complete, submitted, solved, resolved, passed, released, launched, published, is ready,
    i booked, i've booked, we booked, i sent, i've sent, i paid, i've paid, i bought, i've bought, we bought, signed the,
    it works now, works now, handed in, i wrote, i've written, i called, got the job, got accepted, moved in
    """)
  static let undone = PhraseSet(
    """
    not, isn't, aren't, wasn't, haven't, hasn't, didn't, never, almost, nearly, half, once, until, when, before, after, need to be,
    needs to be, has to be, to be, will be, should be, must be, want, unable, couldn't, can't, sorry, unfortunately, failed,
    as soon as, still, would, to get
    """)
  /// An assistant has done what was asked.
  static let reportsOfDone = PhraseSet(
    """
    has been booked, has been reserved, has been made, has been confirmed, has been added, has been sent, has been fixed,
    has been updated, has been created, has been scheduled, has been cancelled, has been canceled, has been purchased,
    is booked, is reserved, is confirmed, are confirmed, are booked, are reserved, are saved, is complete, is completed,
    is book and, was added, was made, was sent, was booked, was a success, was successful, is on its way, on it's way,
    on its way, have been purchased, have been booked, have been reserved, have been made, have been added, been successfully,
    i've booked, i have booked, i just booked, i booked, i've reserved, i have reserved, i reserved, i've made, i have made,
    i made, i've purchased, i have purchased, i purchased, i've added, i have added, i added, i've sent, i have sent, i sent,
    i've scheduled, i have scheduled, i've fixed, i have fixed, i fixed, i've updated, i have updated, i updated, i've created,
    i have created, i've set, i have set, i've cancelled, i've canceled, successfully, is playing, started playing, playing now,
    playing the, has started, have got reservation, have confirmed your, enjoy listening, enjoy your movie, now deployed,
    is deployed, is merged, is fixed, tests pass, now passes, booking a cab
    """)
  static let tasks = PhraseSet(
    """
    need to, needs to, have to, has to, had better, gotta, got to, todo, to do list, remind me, don't forget, remember to,
    next step, next steps, still open, still to do, still need, left to do, i will, i'll, we'll, i should, we should,
    i'm going to, i am going to, we're going to, i plan to, we plan to, planning to, i intend to, must, due on, due by,
    follow up, action item, on my list, pending, waiting for, waiting on, supposed to
    """)
  /// What is open however it is to be done.
  static let openWork = PhraseSet(
    "still need to, still needs to, still have to, still has to, still gotta, left to do, yet to")
  /// What sounds like a duty and is none.
  static let noDuties = PhraseSet(
    """
    don't have to, doesn't have to, didn't have to, won't have to, don't need to, doesn't need to, didn't need to,
    won't need to, not have to, not need to, never have to, never need to, not supposed to, i'd have to, we'd have to,
    i'd need to, we'd need to, nothing left to do, i'm going to sleep, i am going to sleep, i'm going to bed,
    i am going to bed
    """)
  /// Wishes that an assistant fulfils at once; they are open only while nothing came of them.
  static let errands = PhraseSet(
    """
    need to find, need to book, need to get, need to make, need to reserve, need to buy, need to eat, need to search,
    need to look, need to leave, need to pick, need to go, need to be, need to rent, need to see, have to pick, have to keep,
    i'll be, i will be, i'll need, i will need, i'll have, i will prefer, we'll be, i'll head, i'll depart, i'll reserve, i will reserve
    """)
  static let constraints = PhraseSet(
    """
    must, must not, mustn't, can't, cannot, can not, no more than, not more than, no less than, at most, at least, at the latest,
    budget, deadline, only if, not allowed, isn't allowed, no later than, not later than, has to be, have to be, needs to be,
    need to be, without, allergic, intolerant, maximum, minimum, limited to, limit is, the limit, up to, under no circumstances,
    as long as, provided that, may not, shouldn't exceed, not exceed, exceed, too expensive, afford, required,
    requirement, mandatory, off limits, strictly
    """)
  /// What the person is not to do.
  static let ownLimits = PhraseSet(
    """
    i shouldn't, i should not, we shouldn't, we should not, i'm not supposed to, i am not supposed to,
    we're not supposed to, we are not supposed to
    """)
  static let numbers: Set<String> = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen",
    "twenty",
    "thirty", "forty", "fifty", "sixty", "hundred", "thousand", "half",
  ]
  /// What follows "less than a".
  static let measures: Set<String> = [
    "second", "minute", "hour", "day", "night", "week", "month", "year", "mile", "kilometre", "kilometer", "metre",
    "meter",
    "dollar", "euro", "pound", "kilo", "dozen", "hundred", "thousand", "million", "couple", "few", "gigabyte",
    "megabyte",
  ]
  /// A constraint, unless what is to be done by then is said too: that is a task.
  static let deadlines = PhraseSet(
    """
    by friday, by monday, by tuesday, by wednesday, by thursday, by saturday, by sunday, by the end of, by tomorrow, by next
    """)
  /// "I can't find it" is no constraint.
  static let helplessness = PhraseSet(
    """
    can't find, can't see, can't wait, can't believe, can't remember, can't figure, can't get, can't seem, can't tell,
    can't think, cannot find, cannot see, cannot wait, cannot believe, cannot remember, can't help, can't say, can't complain,
    can't decide, more than happy, at least it, can't stand, shouldn't have, should not have
    """)
  static let wants = PhraseSet(
    """
    i want, i need, i'd like, i would like, i wish, i'm looking for, i am looking for, looking for, i'm looking, i am looking,
    we need, we want, we'd like, i will need, i'll need, i nedd, i'll be, i will be, i'm going, i am going, i'm leaving,
    i am leaving, i'm travelling, i am travelling, i'm traveling, i am traveling, there are, there will be, it is for,
    it's for, look for, try, find me, find something, find a, find them, it should, make a reservation, i have to pick,
    search for, can you make it, in the morning, i'm planning, i wish to, i should, want to visit, i demand, play it
    """)
  static let preferences = PhraseSet(
    """
    i prefer, i'd prefer, i would prefer, we prefer, i will prefer, preferably, i like, we like, i love, we love, i hate, i always,
    we always, i never, we never, my favourite, my favorite, i enjoy, i usually enjoy, i usually, i'd rather, i would rather,
    i dislike, i don't like, i do not like, i can't stand, i'm into, i am into, i'm a fan, i am a fan, big fan of, i tend to,
    i'm not a fan, i would enjoy, i'd enjoy, i'm fond of, my preference, i really like, i really love, i also like, i also love,
    i normally, i typically, i usually prefer, i am interested in, i'm interested in, in the mood for, i'd love, i would love,
    i avoid, i can't live without, is my thing, would be perfect, wish to traveling in, is pretty good
    """)
  static let preferenceTraps = PhraseSet(
    """
    i like that, i like it, i like this, i like the one, i like your, i'd like, i love that, i love it, i never said,
    i'd love to, i would love to, i never mind, i don't like that, i don't like it
    """)

  // MARK: Facts

  static let facts = PhraseSet(
    """
    my name is, my name's, call me, i live, we live, i moved, i work, we work, i study, i studied, i own, we own, i speak,
    i was born, i grew up, i come from, i drive, we use, we're using, we are using, our team, our stack, our database,
    our company, our app, our product, our office, our house, i have a, i have an, i have two, i have three, i have four,
    i've got a, i've got two, we have a, we have two, we have three, i run, i'm married, i'm allergic, i use, i teach,
    i lead, i manage, i'm responsible, i'm located, i am located, i'm based, i am based, i graduated, i retired, i play the,
    it runs on, runs on, is written in, is hosted, i'm originally, passed away, getting married, i don't drink, i do not drink, i don't eat,
    i do not eat, i quit, i stopped
    """)
  static let factTraps = PhraseSet(
    """
    i have a question, i have a problem, i have a meeting, i have a quick, i have an idea, i have an issue, i have a bug,
    i have a feeling, i have a doubt, i have a couple, i have a few, i have a hard, i have a request, i have a favor,
    i've got a question, i've got a problem, i moved on, i work on it, i use it, i have another, i have a bit, i stopped by, i stopped at
    """)
  /// How often a medicine is taken.
  static let regularly = PhraseSet(
    """
    every day, every morning, every evening, every night, every week, every hour, every month, each day, each morning,
    each evening, each night, daily, weekly, once a, twice a, times a, a day, before meals, after meals, with meals
    """)
  /// "My phone died" is soon mended.
  static let machines: Set<String> = [
    "phone", "battery", "laptop", "computer", "car", "server", "process", "connection", "router", "printer",
  ]
  /// What may follow "I'm" in a fact.
  static let states: Set<String> = [
    "a", "an", "from", "allergic", "vegan", "vegetarian", "married", "single", "diabetic", "originally", "responsible",
    "based", "located", "retired", "pregnant", "divorced", "engaged", "left-handed", "intolerant", "colorblind",
    "unemployed", "self", "currently", "british", "american", "german", "french", "spanish", "portuguese", "italian",
    "in",
  ]
  /// What follows "I'm in" where it is no place.
  static let noPlaces: Set<String> = ["the", "a", "an", "need", "charge", "love", "trouble", "no", "search", "favor"]
  /// Verbs after "my …" or "our …" that state something.
  static let copulas: Set<String> = [
    "is", "are", "was", "works", "lives", "has", "likes", "loves", "studies", "uses", "runs",
  ]
  /// "My problem is" says nothing about the person.
  static let momentary: Set<String> = [
    "problem", "question", "issue", "guess", "point", "bad", "idea", "understanding", "concern", "mistake", "apologies",
    "order", "balance", "turn", "code", "first", "next", "last",
  ]

  /// Words of three letters that name nothing.
  static let shortPlainWords: Set<String> = Set(
    """
    the and you for but get got see ask now too our her his him she out off way bit lot all any yet one two try who let say
    run had has was are can not did how why its it's i'm i'd i'm new may day put use own few per nor
    """.split(whereSeparator: \.isWhitespace).map(String.init))
  /// Words without a topic of their own.
  static let plainWords: Set<String> = Set(
    """
    about actually after again agreed alright also another anything around available back because been before being best
    book booking both cannot certainly check come confirm could correct days dont done each else enjoy even every find fine
    first following following from give going good great have hello help here hers into it's just know less like liked likes
    little long look looking love lovely made make many maybe mind month more most much must myself need needs never next nice
    nope only other others over perfect please possible prefer prefers quite rather really right said same search shall should
    show some something soon sorry sounds still such sure take than thank thanks that that's their theirs them then there these
    they thing things think this those time today told tomorrow tonight under until usually very want wants week welcome well
    were what when where which while will with without wonderful would years your yours i'll i'm i've i'd don't doesn't didn't
    can't won't isn't always does using used
    """.split(whereSeparator: \.isWhitespace).map(String.init))
}
