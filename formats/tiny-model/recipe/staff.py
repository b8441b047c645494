"""Questions of staff to a personnel department, with the general answers that a textbook would give."""

# Each topic: name, other names of it, verb phrases ("How many days can I ..."), what it depends on, and advice.
# KIND says how one asks for it: how long, how many (days), how much (money), or what (a rule).
LONG, DAYS, MONEY, RULE = "long", "days", "money", "rule"

TOPICS = [
    (LONG, "notice period", ["period of notice", "notice", "resignation notice"],
     ["give notice", "resign", "leave the company", "hand in my notice"],
     "the contract and the length of service", "Check the employment contract or ask the personnel department."),
    (DAYS, "annual leave", ["vacation", "paid leave", "holiday entitlement", "vacation days", "leave entitlement"],
     ["go on vacation", "take paid leave", "be on leave", "take time off"],
     "the country and the contract", "Ask your manager before you book a trip."),
    (LONG, "probation", ["probation period", "probationary period", "trial period"],
     ["be on probation", "finish probation", "pass the trial period"],
     "the contract and the position", "Your manager will tell you how you are doing."),
    (MONEY, "training budget", ["learning budget", "budget for courses", "education budget", "training allowance"],
     ["spend on training", "spend on courses", "use for learning"],
     "the team and the year", "Talk to your manager about courses that you need."),
    (DAYS, "remote work", ["working from home", "remote days", "home office", "remote working"],
     ["work from home", "work remotely", "stay in the home office"],
     "the team and the work to be done", "Agree on the days with your manager."),
    (MONEY, "hotel limit", ["hotel expense limit", "hotel price limit", "hotel budget", "limit for a hotel"],
     ["spend on a hotel", "claim for a hotel", "pay for a hotel room"],
     "the city and the travel policy", "Keep the bill and ask before you book."),
    (DAYS, "parental leave", ["family leave", "leave for parents", "baby leave"],
     ["stay at home with a baby", "take parental leave"],
     "the law of the country", "Tell your manager early so that the team can plan."),
    (MONEY, "bonus", ["yearly bonus", "annual bonus", "performance bonus"],
     ["earn as a bonus", "get as a yearly bonus"],
     "the results of the company and your own goals", "Your manager sets the goals with you."),
    (DAYS, "overtime", ["extra hours", "overtime hours", "additional working hours"],
     ["work overtime", "work extra hours"],
     "the contract and the law", "Overtime should be agreed on before it is worked."),
    (MONEY, "meal allowance", ["food allowance", "daily allowance", "lunch money"],
     ["spend on meals", "claim for food on a trip"],
     "the country and the length of the trip", "Keep the receipts of your meals."),
    (MONEY, "phone allowance", ["mobile allowance", "budget for a phone", "phone budget"],
     ["spend on a phone", "claim for my mobile phone"],
     "the position and the contract", "Ask the IT team which phones are offered."),
    (LONG, "sabbatical", ["sabbatical leave", "long unpaid leave", "career break"],
     ["take a sabbatical", "take a career break"],
     "the length of service", "Plan it at least half a year ahead."),
    (MONEY, "relocation allowance", ["moving allowance", "relocation budget", "help with moving"],
     ["spend on moving", "claim for a move"],
     "the distance and the position", "Ask for it before you sign a contract with a mover."),
    (LONG, "lunch break", ["break at noon", "midday break", "rest break"],
     ["take a break", "rest at noon", "be away for lunch"],
     "the law and the shift", "Take your breaks, they help you to work well."),
    (RULE, "dress code", ["rule about clothes", "clothing rule"],
     ["wear at work", "wear at a client"],
     "the office and the client", "When in doubt, dress a little more formally."),
    (RULE, "company car", ["car policy", "rule for company cars", "car rule"],
     ["drive a company car", "get a company car"],
     "the position and the distance that you drive", "Ask the fleet team for the current rules."),
    (LONG, "sick pay", ["pay during illness", "paid sick leave", "wage during sickness"],
     ["be paid while I am ill", "get sick pay"],
     "the law of the country", "Tell your manager on the first day that you are ill."),
    (MONEY, "mileage rate", ["kilometre allowance", "car allowance for trips", "rate per kilometre"],
     ["claim for a kilometre", "get for driving my own car"],
     "the country and the tax rules", "Write down the distance of each trip."),
    (DAYS, "volunteer days", ["days for volunteering", "charity days", "social days"],
     ["work for a charity", "volunteer"],
     "the company", "Choose a project that you care about."),
    (RULE, "promotion", ["career step", "next grade", "promotion rule"],
     ["be promoted", "reach the next grade"],
     "your results and the needs of the team", "Talk about your goals in the yearly review."),
    (LONG, "working week", ["weekly working time", "working hours in a week", "hours of work"],
     ["work in a week", "be at work each week"],
     "the contract and the country", "Your contract states the exact number of hours."),
    (MONEY, "pension plan", ["pension contribution", "retirement plan", "company pension"],
     ["save for my pension", "get for my retirement"],
     "the country and the contract", "Ask early, because small sums grow over many years."),
    (RULE, "flight class", ["class of flights", "rule for flights", "seat class on a plane"],
     ["fly in business class", "book for a flight"],
     "the length of the flight", "Look into the travel policy before you book."),
    (LONG, "on-call duty", ["on-call time", "standby duty", "duty at night"],
     ["be on call", "be on standby"],
     "the team and its plan", "The plan is made some weeks ahead."),
]

# Forms, systems and contacts: what it is for, other names, ways to ask without naming it, who knows, advice.
PLACES = [
    ("form", "sick leave", ["an illness", "a sick note", "being ill", "sickness"],
     ["report that I am ill", "call in sick", "tell the company that I am sick", "hand in a sick note"],
     "I am ill today", "your manager and the personnel department",
     "Report it on the first day and send a note from the doctor."),
    ("form", "expenses", ["receipts", "travel costs", "costs of a trip", "an expense claim"],
     ["claim expenses", "get my expenses back", "hand in my receipts", "be paid back for a trip"],
     "I paid for a trip myself", "the finance department", "Keep every receipt and hand them in soon."),
    ("system", "business trips", ["travel bookings", "flights and trains", "a work trip", "travel"],
     ["book a business trip", "book a flight", "book a train for work", "plan a trip to a client"],
     "I have to visit a client", "the travel team", "Book early, because prices rise."),
    ("system", "working hours", ["time sheets", "the hours of work", "time recording", "my hours"],
     ["record my working hours", "enter my time sheet", "write down my hours", "log my working time"],
     "I worked eight hours today", "your manager", "Enter the hours each day so that none are forgotten."),
    ("team", "computer problems", ["a broken laptop", "IT support", "a lost password", "technical trouble"],
     ["get a new password", "repair my laptop", "get help with my computer", "fix my screen"],
     "My laptop does not start", "the IT support team", "Describe what you see on the screen."),
    ("channel", "payroll", ["my salary", "the pay slip", "my pay", "wages"],
     ["ask about my salary", "get a copy of my pay slip", "ask about my pay", "report a wrong pay slip"],
     "My pay slip looks wrong", "the payroll team", "Have your staff number ready."),
    ("permit", "working abroad", ["work from another country", "remote work abroad", "a stay in another country"],
     ["work from another country", "work abroad", "spend some weeks working abroad"],
     "I want to work from Spain", "the personnel department",
     "Ask early, because taxes and insurance have to be checked."),
    ("contact", "misconduct", ["a violation of the rules", "a serious complaint", "bad behaviour", "fraud"],
     ["report misconduct", "report a violation", "tell somebody about fraud", "complain in confidence"],
     "I have seen something wrong", "the compliance team", "Reports are handled in confidence."),
    ("system", "meeting rooms", ["a room for a meeting", "room bookings", "a conference room"],
     ["book a meeting room", "find a room for a meeting", "reserve a room"],
     "I need a room for ten people", "the office team", "Give the room back when you do not need it."),
    ("form", "a new laptop", ["new equipment", "a new screen", "office equipment"],
     ["order a new laptop", "ask for a second screen", "get new equipment"],
     "My laptop is very old", "the purchasing team", "Your manager has to agree to the costs."),
    ("contact", "data protection", ["personal data", "privacy", "a data leak"],
     ["report a data leak", "ask about privacy", "ask who may see my data"],
     "I sent a mail to the wrong person", "the data protection officer", "Report a leak at once."),
    ("system", "training courses", ["courses", "learning", "a language course"],
     ["book a course", "find a training course", "sign up for a language course"],
     "I want to learn French", "the learning team", "Choose a course that helps your work."),
    ("contact", "parking", ["a parking space", "the garage", "bicycle stands"],
     ["get a parking space", "park my car", "park my bicycle"],
     "I come to work by car", "the office team", "There are not many spaces, so ask early."),
    ("form", "a change of address", ["a new address", "moving house", "new bank details"],
     ["change my address", "report a new address", "change my bank details"],
     "I have moved to a new flat", "the personnel department", "Tell them within a few weeks."),
    ("team", "visitors", ["a guest", "guests in the office", "a visitor badge"],
     ["register a visitor", "bring a guest", "get a badge for a visitor"],
     "A client visits us tomorrow", "the front desk", "Visitors have to be met at the door."),
]

JOBS = ["Consultant", "Associate", "Principal", "Trainee", "Analyst", "Engineer", "Developer", "Manager", "Director",
        "Designer", "Accountant", "Technician", "Researcher", "Assistant", "Partner", "Architect", "Controller",
        "Recruiter", "Editor", "Planner", "Buyer", "Tester", "Writer", "Clerk", "Operator", "Nurse", "Teacher",
        "Driver", "Intern", "Apprentice", "Specialist", "Coordinator", "Supervisor", "Advisor", "Officer"]
RANKS = ["Senior", "Junior", "Lead", "Chief", "Head", "Deputy", "Delivery", "Project", "Sales", "Product", "Team",
         "Service", "Quality", "Finance", "Support", "Field", "Data", "Office", "Research", "Regional", "Account"]

# With a position: {n} is the thing, {g} a position with its article, {v} what one does.
ABOUT = ["What is the {n} for {g}?", "What is the {n} of {g}?", "Tell me the {n} of {g}.", "Tell me the {n} for {g}.",
         "Which {n} applies to {g}?", "Which {n} does {g} have?", "What {n} does {g} get?", "I am {g}. What is my {n}?",
         "I am {g}. What {n} do I have?", "I have just joined as {g}. What is my {n}?", "Explain the {n} of {g}.",
         "Please tell me about the {n} of {g}.", "What are the rules about the {n} of {g}?",
         "Does {g} have a {n}?", "As {g}, what is my {n}?", "I work as {g}. Tell me my {n}.",
         "What should {g} know about the {n}?", "What is the rule on {n} for {g}?"]
LONG_ABOUT = ["How long is the {n} of {g}?", "How long is the {n} for {g}?", "I am {g}. How long is my {n}?",
              "Tell me how long the {n} lasts for {g}.", "How long does the {n} of {g} last?",
              "How many months is the {n} of {g}?", "How many days is the {n} of {g}?", "When does the {n} of {g} end?",
              "I have just started as {g}. How long is the {n}?"]
DAYS_ABOUT = ["How much {n} does {g} get?", "How many days of {n} does {g} get?", "I am {g}. How much {n} do I have?",
              "How many days of {n} may {g} take?", "Tell me how much {n} {g} gets.", "How much {n} is there for {g}?",
              "How many days of {n} does {g} have in a year?", "How much {n} does {g} receive in a year?"]
MONEY_ABOUT = ["How large is the {n} of {g}?", "How high is the {n} for {g}?", "I am {g}. How large is my {n}?",
               "What is the yearly {n} of {g}?", "How much money is in the {n} of {g}?",
               "Tell me how high the {n} of {g} is."]
LONG_DOES = ["How long does {g} have to wait to {v}?", "I am {g} and want to {v}. How long does it take?",
             "When may {g} {v}?", "What happens when {g} wants to {v}?", "I am {g}. When can I {v}?"]
DAYS_DOES = ["How often may {g} {v}?", "How often can {g} {v}?", "How many days may {g} {v}?",
             "I am {g}. How often can I {v}?", "Tell me how often {g} may {v}.", "How many days a year can {g} {v}?",
             "How many days a month may {g} {v}?", "I am {g}. How many days can I {v}?", "Can {g} {v}?"]
MONEY_DOES = ["How much can {g} {v}?", "How much may {g} {v}?", "I am {g}. How much can I {v}?",
              "Tell me how much {g} can {v}.", "How much money may {g} {v} in a year?", "What can {g} {v}?",
              "I am {g} on a business trip. How much may I {v}?"]
RULE_DOES = ["What may {g} {v}?", "When can {g} {v}?", "I am {g}. Can I {v}?", "Tell me if {g} may {v}."]
FORMS = {LONG: (LONG_ABOUT, LONG_DOES), DAYS: (DAYS_ABOUT, DAYS_DOES), MONEY: (MONEY_ABOUT, MONEY_DOES),
         RULE: ([], RULE_DOES)}

TYPICAL = ["For {g}, the {t} typically depends on {d}. {a}",
           "The {t} of {g} usually depends on {d}, so it can vary. {a}",
           "The {t} for {g} can vary. It often depends on {d}. {a}",
           "In general, the {t} of {g} is set by {d}. {a}"]

PLACE_ASKS = ["Which {k} do I use for {n}?", "Which {k} do I need for {n}?", "What is the {k} for {n} called?",
              "What {k} is there for {n}?", "Which {k} is for {n}?", "Tell me the {k} for {n}.", "I need the {k} for {n}.",
              "Is there a {k} for {n}?", "Who knows about {n}?", "Who helps me with {n}?", "Where do I ask about {n}?",
              "Who do I contact about {n}?", "I have a question about {n}. Who can help?"]
PLACE_DOES = ["How do I {v}?", "Where do I {v}?", "Which {k} do I use to {v}?", "I want to {v}. What do I do?",
              "What do I need to {v}?", "Who helps me to {v}?", "Can I {v}?", "I have to {v}. Which {k} do I need?",
              "In which {k} do I {v}?", "What is the way to {v}?", "Where can I {v}?", "I would like to {v}. Who do I ask?"]
PLACE_SAID = ["{s}. What do I do?", "{s}. Which {k} do I need?", "{s}. Who do I contact?", "{s}. Where do I ask?"]
PLACE_ANSWERS = ["Questions about {t} usually go to {d}. {a}",
                 "For {t}, many companies have a {k} of their own. Ask {d}. {a}",
                 "In general, {d} can tell you how {t} is handled. {a}"]


def with_article(words):
    return ("an " if words[0] in "AEIOUaeiou" else "a ") + words


def position(random):
    job = random.choice(JOBS)
    return job if random.random() < 0.45 else random.choice(RANKS) + " " + job


def question_about(random, topic, who):
    """A question about a topic in one of its wordings."""
    kind, name, others, verbs, _, _ = topic
    about, does = FORMS[kind]
    if random.random() < 0.4:
        return random.choice(does).format(g=who, v=random.choice(verbs))
    frames = about if about and random.random() < 0.5 else ABOUT
    return random.choice(frames).format(n=random.choice([name, name] + others), g=who)


def question_for(random, place):
    """A question about a form, system or contact."""
    kind, name, others, verbs, said, _, _ = place
    draw = random.random()
    if draw < 0.4:
        return random.choice(PLACE_ASKS).format(k=kind, n=random.choice([name] + others))
    if draw < 0.85:
        return random.choice(PLACE_DOES).format(k=kind, v=random.choice(verbs))
    return random.choice(PLACE_SAID).format(k=kind, s=said)


def general(random):
    """A question without a company, and its general answer."""
    if random.random() < 0.3:
        place = random.choice(PLACES)
        kind, name, _, _, _, who, advice = place
        return question_for(random, place), random.choice(PLACE_ANSWERS).format(k=kind, t=name, d=who, a=advice)
    topic = random.choice(TOPICS)
    _, name, _, _, depends, advice = topic
    who = with_article(position(random))
    answer = random.choice(TYPICAL).format(g=who, t=name, d=depends, a=advice)
    return question_about(random, topic, who), answer[0].upper() + answer[1:]
