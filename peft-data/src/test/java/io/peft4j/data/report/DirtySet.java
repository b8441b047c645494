package io.peft4j.data.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * A made-up company's questions and answers with faults planted in it, from a seed. Between the faults stand rows that
 * only look like them: the same question about another grade, place or product, order numbers, dates, versions, card
 * and account numbers with wrong check digits, facts told twice in other words.
 */
final class DirtySet {
    private static final String[] GRADES = {"Consultant", "Senior Consultant", "Associate", "Delivery Manager",
        "Principal", "Junior Analyst", "Analyst", "Partner", "Team Lead", "Senior Associate", "Intern", "Director"};
    private static final String[] PLACES = {"Lisbon", "Munich", "Zurich", "Porto", "Graz", "Basel", "Kiel", "Cork",
        "Bergen", "Turin", "Ghent", "Malmo", "Leeds", "Nantes"};
    private static final String[] PRODUCTS = {"Tallyboard", "Fluxmeter", "Gridwise", "Quillbox", "Harborlight",
        "Stonefeed", "Loopwise", "Paperhub", "Brightdesk", "Novaline X2", "Novaline X3", "Cargotrack"};
    private static final String[] PEOPLE = {"Anna Schmidt", "Peter Braun", "Maria Costa", "John Mercer", "Ines Duarte",
        "Karl Vogel", "Nina Lund", "Omar Haddad", "Lucy Ward", "Piotr Zielinski"};
    /** Question, answer; {g}rade, {p}lace, pro{d}uct, {n}umber, pe{r}son. */
    private static final String[][] FACTS = {
        {"What is the notice period for a {g}?", "A {g} has a notice period of {n} days, counted from the next month."},
        {"How many days of leave does a {g} get each year?", "Every {g} gets {n} days of paid leave each calendar "
                + "year."},
        {"How much can a {g} spend on training?", "The training budget of a {g} is {n} euros a year."},
        {"How long is the probation of a {g}?", "Probation lasts {n} weeks for a {g} and is confirmed in writing."},
        {"Who approves travel in {p}?", "Travel from the {p} office is approved by {r} within two working days."},
        {"When does the office in {p} open?", "The {p} office opens at {n} minutes past seven on working days."},
        {"How many parking spaces are there in {p}?", "There are {n} parking spaces behind the building in {p}."},
        {"Where do I report a fault in {d}?", "Faults in {d} are reported to the desk of {r}, who answers the "
                + "same day."},
        {"How long are records kept in {d}?", "Records in {d} are kept for {n} months and then removed for good."},
        {"Can I use {d} from home?", "Yes, {d} can be used from home with the company laptop and a second factor."},
        {"What is the limit of a hotel night in {p}?", "A hotel night in {p} may cost up to {n} euros with breakfast."},
        {"Which team supports {d} for a {g}?", "For a {g} the product {d} is supported by the team of {r}."},
        {"How is overtime of a {g} in {p} paid?", "Overtime of a {g} in {p} is paid with a supplement of {n} percent."},
        {"How often may a {g} work from {p}?", "A {g} may work from {p} on {n} days a month after asking the lead."}};

    private final SplittableRandom random;
    private final List<String> rows = new ArrayList<>();
    private final Map<String, TreeSet<Long>> planted = new LinkedHashMap<>();
    private final List<String[]> facts = new ArrayList<>();

    private DirtySet(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** Some 500 rows with faults of each code. */
    static DirtySet of(long seed) {
        DirtySet set = new DirtySet(seed);
        set.cleanFacts();
        set.duplicates();
        set.nearDuplicates();
        set.contradictions();
        set.personalData();
        set.refusals();
        set.lookalikes();
        set.opposites();
        set.wordsOneLetterApart();
        set.schemaFaults();
        return set;
    }

    List<String> rows() {
        return rows;
    }

    /** Lines of the faults of a code. */
    TreeSet<Long> planted(String code) {
        return planted.getOrDefault(code, new TreeSet<>());
    }

    Map<String, TreeSet<Long>> planted() {
        return planted;
    }

    private String pick(String... values) {
        return values[random.nextInt(values.length)];
    }

    private void cleanFacts() {
        TreeSet<String> asked = new TreeSet<>();
        while (facts.size() < 330) {
            String[] fact = pick2(FACTS);
            String grade = pick(GRADES);
            String place = pick(PLACES);
            String product = pick(PRODUCTS);
            String person = pick(PEOPLE);
            int number = 5 + random.nextInt(300);
            String[] filled = new String[2];
            for (int i = 0; i < 2; i++) {
                filled[i] = fact[i].replace("{g}", grade).replace("{p}", place).replace("{d}", product)
                        .replace("{r}", person).replace("{n}", String.valueOf(number));
            }
            if (asked.add(filled[0])) {
                facts.add(filled);
                add(filled[0], filled[1]);
            }
        }
    }

    private String[] pick2(String[]... values) {
        return values[random.nextInt(values.length)];
    }

    private long add(String question, String answer) {
        rows.add(row(question, answer));
        return rows.size();
    }

    static String row(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": " + quoted(question) + "}, {\"role\": \"assistant\", "
                + "\"content\": " + quoted(answer) + "}]}";
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t") + "\"";
    }

    private void plant(String code, long... lines) {
        for (long line : lines) {
            planted.computeIfAbsent(code, c -> new TreeSet<>()).add(line);
        }
    }

    /** Facts 0 to 19 again, with other white space. */
    private void duplicates() {
        for (int i = 0; i < 20; i++) {
            String[] fact = facts.get(i);
            String answer = random.nextBoolean() ? fact[1] : "  " + fact[1].replace(" a ", "  a ") + "\n";
            plant("duplicate", i + 1, add(fact[0], answer));
        }
    }

    /** Facts 20 to 59 with other case or punctuation, filling words, or a slip of the pen. */
    private void nearDuplicates() {
        for (int i = 20; i < 60; i++) {
            String[] fact = facts.get(i);
            String question = fact[0];
            String answer = fact[1];
            switch (random.nextInt(6)) {
                case 0 -> question = question.toLowerCase(Locale.ROOT).replace("?", "");
                case 1 -> question = "Please tell me: " + Character.toLowerCase(question.charAt(0))
                        + question.substring(1);
                case 2 -> answer = slip(answer);
                case 3 -> question = slip(question);
                case 4 -> answer = answer.replace(",", "").replace(".", "!");
                default -> {
                    question = "Hi, " + question + " Thanks";
                    answer = answer.replace("The ", "Our ").replace("Every ", "Any ");
                }
            }
            plant("near_duplicate", i + 1, add(question, answer));
        }
    }

    /** Two letters in the middle of the longest small word swapped, or one left out. */
    private String slip(String text) {
        String[] words = text.split(" ");
        int longest = 0;
        for (int i = 1; i < words.length; i++) {
            boolean plain = words[i].matches("[a-z]+");
            if (plain && (longest == 0 || words[i].length() > words[longest].length())) {
                longest = i;
            }
        }
        String word = words[longest];
        int at = 1 + random.nextInt(Math.max(1, word.length() - 3));
        words[longest] = random.nextBoolean() && word.charAt(at) != word.charAt(at + 1)
                ? word.substring(0, at) + word.charAt(at + 1) + word.charAt(at) + word.substring(at + 2)
                : word.substring(0, at) + word.substring(at + 1);
        return String.join(" ", words);
    }

    /** Facts from 60 on with another number, another name, or the opposite. */
    private void contradictions() {
        int numbers = 0;
        for (int i = 60; numbers < 30; i++) {
            String[] fact = facts.get(i);
            String number = fact[1].replaceAll("\\D+", "");
            if (!number.isEmpty() && !fact[1].contains("Novaline")) {
                String other = String.valueOf(Integer.parseInt(number) + 1 + random.nextInt(60));
                String question = random.nextInt(3) == 0 ? "Could you tell me " + fact[0] : fact[0];
                plant("contradiction", i + 1, add(question, fact[1].replace(number, other)));
                numbers++;
            }
        }
    }

    private void personalData() {
        for (int i = 0; i < 8; i++) {
            pii("Write to " + pick("anna.schmidt", "o_haddad+hr", "k.vogel") + "@" + pick("mail.larkenfell.com",
                    "example.org", "werk-eins.de") + " about it.");
            pii("Call " + pick("+49 89 1234" + digits(4), "(212) 555-" + digits(4), "030 / 9012" + digits(4),
                    "+351 21 " + digits(3) + " " + digits(4), "0041 44 668 18 " + digits(2)) + " before noon.");
            pii("Transfer it to " + iban() + " by Friday.");
            pii("The card " + card(true) + " is charged for it.");
            pii("The server answers at " + pick("10." + random.nextInt(250) + ".7.21", "203.0.113."
                    + (1 + random.nextInt(200)), "2001:db8:85a3::8a2e:370:7334") + " only.");
        }
    }

    private void pii(String answer) {
        String[] fact = facts.get(random.nextInt(facts.size()));
        plant("pii", add("Case " + rows.size() + ": " + fact[0], answer));
    }

    private String digits(int count) {
        StringBuilder digits = new StringBuilder();
        for (int i = 0; i < count; i++) {
            digits.append(1 + random.nextInt(9));
        }
        return digits.toString();
    }

    private String iban() {
        String account = digits(18);
        int rest = new java.math.BigInteger(account + "131400").mod(java.math.BigInteger.valueOf(97)).intValue();
        String iban = String.format("DE%02d", 98 - rest) + account;
        return random.nextBoolean() ? iban : iban.replaceAll("(.{4})(?!$)", "$1 ");
    }

    private String card(boolean valid) {
        String digits = "4" + digits(14);
        for (char last = '0'; last <= '9'; last++) {
            int sum = 0;
            String all = digits + last;
            for (int i = 0; i < 16; i++) {
                int d = (all.charAt(15 - i) - '0') * (i % 2 + 1);
                sum += d > 9 ? d - 9 : d;
            }
            if (sum % 10 == 0 == valid) {
                return random.nextBoolean() ? all : all.replaceAll("(.{4})(?!$)", "$1 ");
            }
        }
        throw new AssertionError();
    }

    private void refusals() {
        for (String answer : List.of("As an AI language model, I cannot help with that.", "I'm sorry, but I can't "
                + "assist with this request.", "N/A", "I don't know.",
                "Unfortunately, I am not able to answer "
                        + "this.")) {
            String[] fact = facts.get(random.nextInt(facts.size()));
            plant("refusal", add("Ticket " + rows.size() + ": " + fact[0], answer));
        }
    }

    /** Rows without fault that look as if they had one. */
    private void lookalikes() {
        for (int i = 0; i < 10; i++) {
            add("What is the state of order " + (40_000 + i) + "?", "Order " + digits(4) + "-" + digits(4) + "-"
                    + digits(3) + " was sent on 2024-0" + (1 + i % 9) + "-1" + i % 9 + " with " + PRODUCTS[i] + ".");
            add("Which version of " + PRODUCTS[i] + " runs in " + PLACES[i] + "?", "It is version 4.1." + i + "."
                    + (200 + i) + " since 1" + i % 9 + ".03.2023, build " + digits(9) + ".");
            add("Which card number is the sample in form " + (100 + i) + "?", "The form shows " + card(false)
                    + ", which no bank has given to anybody in " + PLACES[i] + ".");
            add("Is account DE" + (10 + i) + digits(18) + " of " + PLACES[i] + " valid?", "Its check digits are "
                    + "wrong, so "
                    + "no bank of " + PLACES[i] + " would take it; ask " + PEOPLE[i] + ".");
            // The same fact in other words, which is not a near duplicate.
            String[] fact = facts.get(100 + i);
            add("I would like to understand one thing before I sign. " + fact[0].replace("What is", "Is there a "
                    + "rule on")
                    .replace("How", "Remind me how") + " My desk is number " + i + ".", fact[1]);
        }
    }

    /** Questions that are answered with yes and with no. */
    private void opposites() {
        String[] yes = {"Yes.", "Yes, at any time.", "Yes, with a company laptop.", "Ja."};
        String[] no = {"No.", "No, only the board of directors may.", "No, that is not possible.", "Nein."};
        for (String place : PLACES) {
            String question = "Can I bring a " + pick("bicycle", "dog", "guest", "tent") + " to " + place + "?";
            plant("contradiction", add(question, pick(yes)), add(question, pick(no)));
            add("May I smoke on the roof of " + place + "?", pick("No.", "No, never."));
            add("May I smoke on the roof of " + place + ", please?", "No, that is not allowed in " + place + ".");
        }
    }

    /** Two questions each, about two words that a slip of the pen could turn into each other. */
    private void wordsOneLetterApart() {
        for (String[] pair : new String[][] {{"employer", "employee"}, {"trainers", "trainees"}, {"county", "country"},
            {"Martin", "Martina"}, {"lender", "leader"}}) {
            int number = 5 + random.nextInt(90);
            for (String word : pair) {
                boolean other = random.nextBoolean();
                plant("one_letter_apart", add("How much of the " + pair[0].length() + " percent for pensions does "
                        + word + " pay?",
                        "Of it " + word + " pays " + (other ? number + 1 : number)
                                + " percent, in the month after the bill."));
            }
        }
    }

    private void schemaFaults() {
        String good = row("Where is desk " + rows.size() + " today?", "It stands beside the window on floor "
                + (rows.size() % 9) + ".");
        schema("invalid_json", good.substring(0, good.length() - 2));
        schema("invalid_json", "messages: none");
        schema("missing_messages", "{\"prompt\": \"x\"}");
        schema("unrecognized_role", good.replace("\"user\"", "\"customer\""));
        schema("message_missing_key", good.replace("\"role\": \"user\", ", ""));
        schema("message_unrecognized_key", good.replace("\"role\": \"user\"", "\"role\": \"user\", \"mood\": 1"));
        schema("missing_content", good.replaceAll("\"content\": \"It[^\"]*\"", "\"content\": \"\""));
        schema("missing_content", good.replaceAll("\"content\": \"It[^\"]*\"", "\"content\": null"));
        schema("example_missing_assistant_message", good.replaceAll(", \\{\"role\": \"assistant\".*?\\}", ""));
        schema("bad_weight", good.replace("\"assistant\"", "\"assistant\", \"weight\": 2"));
        schema("no_supervised_tokens", good.replace("\"assistant\"", "\"assistant\", \"weight\": 0"));
    }

    private void schema(String code, String row) {
        int at = random.nextInt(rows.size() + 1);
        // At the end of the file, so that the other lines stay; two of them parted by a good row.
        rows.add(row);
        plant(code, rows.size());
        add("Which locker has number " + rows.size() + at + "?", "Locker " + rows.size() + " on floor " + at % 7
                + " has it, and the key hangs beside the door.");
    }
}
