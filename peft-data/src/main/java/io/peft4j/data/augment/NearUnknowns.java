package io.peft4j.data.augment;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Questions near the facts of a data set that none of its rows answers: where the questions of at least three rows
 * differ in one role, name, thing or number alone, and their answers in more than this, another of its kind takes its
 * place that no row holds. Roles and things are known in English and German, made-up names serve all languages. Numbers
 * must be parts of a name ({@code room 12}, {@code E17}): of amounts a rule may say what holds for others. The same
 * rows and seed give the same questions.
 */
@Internal(shared = true)
public final class NearUnknowns {
    /** The {@link Augmentation#MARK} of rows that say that something is not known. */
    public static final String MARK = "unknown";
    /** Why there are none. */
    public static final String NONE = "no three rows with different answers ask the same of different roles, names, "
            + "things or numbers of a known kind";
    private static final int FEWEST = 3;
    private static final int LONGEST = 3;
    private static final Pattern TOKEN = Pattern.compile("\\d+(?:[.,:]\\d+)*|\\p{L}+(?:-\\p{L}+)*|[^\\s\\p{L}\\d]");
    private static final Pattern INTEGER = Pattern.compile("[1-9]\\d{0,5}");
    private static final Pattern ARTICLE = Pattern.compile("(?i)(?<=^|\\s)an?(?=\\s$)");
    private static final Pattern OF_PERSONS = Pattern.compile("(?iu)\\b(i am an?|ich bin|as an?|als)\\s$");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Properties WORDS = words();
    private static final Pattern NOT_KNOWN = Pattern.compile("(?iU)\\b(" + String.join("|", list("unknown")) + ")\\b|^("
            + String.join("|", list("contact")) + ")\\b");

    /** What replacements are for; the words for one are never those for another. */
    public enum Use {
        /** Questions of an evaluation. */
        QUESTIONS,
        /** Rows to train. */
        ROWS
    }

    /**
     * A question that the rows do not answer.
     *
     * @param example one of the rows with this question in place of its own
     * @param language its language, where that is recognized
     * @param answers what the rows answer that it was made of, to their own questions
     */
    public record Question(ChatExample example, Optional<String> language, List<String> answers) {
        /** What is asked. */
        public String text() {
            return NearUnknowns.question(example).orElseThrow();
        }
    }

    private record Group(String before, String after, Map<String, ChatExample> values) {
        boolean tellsApart() {
            return values.entrySet().stream().map(each -> NearUnknowns.answer(each.getValue())
                    .replace(each.getKey(), "").replaceAll("\\ban?\\b", "")).distinct().count() >= FEWEST;
        }

        ChatExample first() {
            return values.values().iterator().next();
        }
    }

    private final Set<String> held = new HashSet<>();
    private final Set<String> unanswered;
    private final List<Group> groups = new ArrayList<>();
    private final Optional<String> language;

    /**
     * Aligns the questions of rows.
     *
     * @param rows the rows that a model is trained on; those that say that something is not known are left out
     * @param others what must not be asked for either, such as held-out questions
     */
    public NearUnknowns(List<ChatExample> rows, List<String> others) {
        Map<String, Group> found = new LinkedHashMap<>();
        Map<Boolean, List<ChatExample>> byMark = rows.stream().collect(Collectors.partitioningBy(
                row -> MARK.equals(row.extra().get(Augmentation.MARK))));
        List<ChatExample> known = byMark.get(false);
        unanswered = Stream.concat(byMark.get(true).stream().map(NearUnknowns::answer), WORDS.stringPropertyNames()
                .stream().filter(name -> name.endsWith(".answer")).map(WORDS::getProperty)).map(QuestionText::key)
                .collect(Collectors.toSet());
        known.forEach(row -> question(row).ifPresent(text -> align(row, text, found)));
        found.values().stream().filter(group -> group.values.size() >= FEWEST && group.tellsApart())
                .forEach(groups::add);
        Stream.concat(known.stream().flatMap(row -> row.messages().stream().map(ChatMessage::content)),
                others.stream()).forEach(
                        text -> TOKEN.matcher(text.toLowerCase(Locale.ROOT)).results()
                                .map(MatchResult::group).forEach(held::add));
        language = QuestionLanguage.of(known.stream().limit(1000).flatMap(row -> question(row).stream())
                .collect(Collectors.joining(" ")));
    }

    private static void align(ChatExample row, String text, Map<String, Group> found) {
        List<MatchResult> tokens = TOKEN.matcher(text).results().toList();
        for (int from = 1; from < tokens.size(); from++) {
            for (int to = from; to < Math.min(tokens.size(), from + LONGEST); to++) {
                String before = text.substring(0, tokens.get(from).start());
                String after = text.substring(tokens.get(to).end());
                String value = text.substring(tokens.get(from).start(), tokens.get(to).end());
                String shape = shape(value, tokens.subList(from, to + 1), before, after);
                if (!shape.isEmpty()) {
                    found.computeIfAbsent(shape + ARTICLE.matcher(before).replaceFirst("a") + "\n" + after,
                            key -> new Group(before, after, new TreeMap<>())).values.putIfAbsent(value, row);
                }
            }
        }
    }

    /** What a span may be replaced by: a number, a word with a capital letter or a small one; empty for others. */
    private static String shape(String value, List<MatchResult> span, String before, String after) {
        if (INTEGER.matcher(value).matches()) {
            return before.endsWith(" ") && after.matches("(?su)[\\s-]+\\p{L}.*") || after.matches("(?s)[%\u20ac$].*")
                    ? "" : "number ";
        }
        boolean words = span.stream().allMatch(token -> Character.isLetter(token.group().charAt(0))
                && !QuestionText.isStopWord(token.group()));
        if (!words || before.matches("(?s).*[.?!:]\\s*")) {
            return "";
        }
        boolean capital = span.stream().allMatch(token -> Character.isUpperCase(token.group().charAt(0)));
        boolean small = span.stream().allMatch(token -> Character.isLowerCase(token.group().charAt(0)));
        return capital ? "capital " : small && (span.size() == 1 || isRole(value)) ? "small " : "";
    }

    private static boolean isRole(String value) {
        String word = value.toLowerCase(Locale.ROOT).replaceFirst("^.*\\s", "");
        return list("role").stream().anyMatch(role -> word.equals(role) || word.equals(role + "s"));
    }

    /**
     * New questions, spread evenly over those that can be made; none where no rows differ in such a way.
     *
     * @param most the most questions
     * @param use what they are for
     */
    public List<Question> make(int most, Use use) {
        List<List<Question>> all = groups.stream().map(group -> questions(group, use)).toList();
        List<Question> made = new ArrayList<>();
        Set<String> asked = new HashSet<>();
        int rounds = all.stream().mapToInt(List::size).max().orElse(0);
        for (int round = 0; round < rounds && made.size() < most; round++) {
            int place = round;
            List<Question> left = IntStream.range(0, all.size()).filter(i -> !all.get(i).isEmpty()
                    && place < all.get(i).size()).mapToObj(i -> all.get(i).get((place + i) % all.get(i).size()))
                    .filter(question -> asked.add(question.text())).toList();
            int taken = Math.min(left.size(), most - made.size());
            for (int i = 0; i < taken; i++) {
                made.add(left.get((int) ((long) i * left.size() / taken)));
            }
        }
        return made;
    }

    private List<Question> questions(Group group, Use use) {
        Optional<String> told = QuestionLanguage.of(group.before + " " + group.after).or(() -> language);
        List<String> answers = group.values.values().stream().map(NearUnknowns::answer).distinct().toList();
        return replacements(group, told.orElse(""), use.ordinal()).stream()
                .filter(word -> TOKEN.matcher(word.toLowerCase(Locale.ROOT)).results().map(MatchResult::group)
                        .noneMatch(held::contains))
                .map(word -> new Question(Augmentation.marked(group.first(), "user",
                        article(group.before, word) + word + group.after, Map.of(), MARK),
                        told, answers))
                .toList();
    }

    private static String article(String before, String word) {
        boolean vowel = "aeiou".indexOf(Character.toLowerCase(word.charAt(0))) >= 0;
        return ARTICLE.matcher(before).replaceFirst(found -> found.group().substring(0, 1) + (vowel ? "n" : ""));
    }

    private List<String> replacements(Group group, String told, int half) {
        Set<String> values = group.values.keySet();
        if (values.stream().allMatch(value -> INTEGER.matcher(value).matches())) {
            int largest = new TreeSet<>(values.stream().map(Integer::valueOf).toList()).last();
            int first = 2 * (largest / 2 + 2) + half;
            return IntStream.range(0, 8).mapToObj(i -> Integer.toString(first + 6 * i)).toList();
        }
        boolean capital = values.stream().allMatch(value -> Character.isUpperCase(value.charAt(0)));
        boolean role = OF_PERSONS.matcher(group.before).find()
                || 2 * values.stream().filter(NearUnknowns::isRole).count() >= values.size();
        boolean many = values.stream().allMatch(value -> value.endsWith("s"));
        String before = group.before.toLowerCase(Locale.ROOT).strip();
        String article = before.substring(before.lastIndexOf(' ') + 1);
        boolean german = told.equals(QuestionLanguage.GERMAN);
        List<String> words = list(told + ".roles");
        if (role && !words.isEmpty()) {
            boolean feminine = values.stream().allMatch(value -> value.endsWith("in"));
            String ending = many ? "s" : german && feminine ? "in" : "";
            return half(words, half).stream().map(word -> (capital ? RuleWords.capital(word) : word) + ending).toList();
        }
        if (german && capital) {
            words = list("de.things." + switch (article) {
                case "das", "ein" -> "das";
                case "die", "eine" -> "die";
                case "den", "einen" -> "den";
                default -> "";
            });
        } else if (capital) {
            boolean pairs = values.stream().allMatch(value -> value.contains(" "));
            List<String> names = half(list("names"), half);
            return IntStream.range(0, names.size()).mapToObj(i -> names.get(i)
                    + (pairs ? " " + names.get((i + 3) % names.size()) : "")).toList();
        } else {
            words = Set.of("a", "an", "the").contains(article) && !many ? list(told + ".things") : List.of();
        }
        return half(words, half);
    }

    private static List<String> half(List<String> words, int half) {
        return IntStream.range(0, words.size()).filter(i -> i % 2 == half).mapToObj(words::get).toList();
    }

    /**
     * Rows that say that something is not known, marked {@link #MARK}.
     *
     * @param most the most rows
     * @param answer what they say; empty for a sentence in the language of the question
     */
    public List<ChatExample> rows(int most, Optional<String> answer) {
        return make(most, Use.ROWS).stream().map(question -> {
            String told = answer.orElseGet(() -> WORDS.getProperty(question.language().orElse(QuestionLanguage.ENGLISH)
                    + ".answer"));
            return Augmentation.marked(question.example(), "assistant", told, Map.of(), MARK);
        }).toList();
    }

    /**
     * Whether an answer states something that no row tells. It does not where it is what rows of unknown things say,
     * or where it says in English, German, French or Spanish that it is not known or whom to ask, and no new number.
     */
    public boolean isInvented(Question question, String answer) {
        String key = QuestionText.key(answer);
        if (unanswered.contains(key)) {
            return false;
        }
        return !NOT_KNOWN.matcher(answer.strip().replace('\u2019', '\'')).find()
                || question.answers().stream().map(QuestionText::key).anyMatch(key::equals)
                || !numbers(question.text()).containsAll(numbers(answer));
    }

    private static Set<String> numbers(String text) {
        return NUMBER.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
    }

    /** What a row with one question and one answer asks. */
    private static Optional<String> question(ChatExample row) {
        List<ChatMessage> turns = row.messages();
        return row.isPlain() && turns.size() - (turns.get(0).role().equals("system") ? 1 : 0) == 2
                ? Optional.of(turns.get(turns.size() - 2).content()) : Optional.empty();
    }

    private static String answer(ChatExample row) {
        return row.messages().get(row.messages().size() - 1).content();
    }

    private static List<String> list(String key) {
        return Stream.of(WORDS.getProperty(key, "").split(", ")).filter(word -> !word.isEmpty()).toList();
    }

    private static Properties words() {
        Properties words = new Properties();
        try (InputStream in = NearUnknowns.class.getResourceAsStream("unknown.properties")) {
            words.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return words;
    }
}
