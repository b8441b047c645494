package io.peft4j.data.augment;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The question of a statement for what it says of its topic, in seven languages, for statements of whose values no
 * rule asks: {@code May gloves be worn?} where it forbids or allows, {@code What applies if a book is lost?} where it
 * begins with a condition, else {@code What should I know about late returns?}. The whole statement is the answer.
 */
final class TopicQuestion {
    private static final Pattern LABEL = Pattern.compile("(\\p{Lu}[^.:;,!?\\d]{1,40}?)\\s?: (?!.*\\p{L}: ).{3,}");
    private static final Set<String> CONDITIONS = RuleWords.of("all.conditions");
    private static final Set<String> RELATIVE = RuleWords.of("english.relative");
    /** What no English subject begins with, beside pronouns. */
    private static final Pattern NO_FIRSTS = Pattern
            .compile("(?:every|each) (?:\\d|(?:other|two|three|four|six|few) ).*");
    private static final Pattern STOP = Pattern
            .compile("unless|except|but|because|provided|if|sondern|aber|au\u00dfer");
    private static final Pattern BOUND = Pattern
            .compile("ausschlie\u00dflich|lediglich|only|until|no|nothing|never|nur|erst|keine?[nmrs]?");
    /** What is said of a group or a person on the way. */
    private static final Pattern ASIDE = Pattern.compile(", (?:(?:including|such as|like|especially|e\\.g\\.|i\\.e\\.|"
            + "einschlie\u00dflich|insbesondere|z\\. ?B\\.|y compris|notamment|por ejemplo|incluid[oa]s?) [^,;]+|"
            + "\\p{Lu}[\\p{L}.]*(?: \\p{Lu}[\\p{L}.]*){1,3}),");
    private static final String PERSON = "(?:Dr|Prof|Mrs?|Ms|Capt|Herr|Frau|Schwester|Meister|M|Mme|Sra?|Dra|D|Sig|"
            + "Sig\\.ra|dhr|mevr)\\.?(?: \\p{Lu}[\\p{L}.'-]*)+";
    private static final String IS = " (?:is|ist|est|es|\u00e8|\u00e9) ";
    private static final Pattern OFFICE = Pattern
            .compile(PERSON + IS + "((?:the|our|der|die|unsere?|le|la|el|il|o|a|de) [^,;]+)");
    private static final Pattern HOLDER = Pattern.compile("[^,;]+?" + IS + PERSON);
    /** A question, the beginning of a list, or what points to something before it. */
    private static final Pattern VAGUE = Pattern
            .compile("(?s).*[?:]|[^\\p{L}].*|.* (?:this|these|diese[rnms]?|dort) .*");
    private static final int MOST_WORDS = 14;
    private static final int MOST_LABEL = 5;

    private final List<String> words;
    private final String language;
    private final InvertedSentence.Spelling spelling;
    private final boolean english;
    private final boolean german;

    private TopicQuestion(List<String> words, String language, InvertedSentence.Spelling spelling) {
        this.words = words;
        this.language = language;
        this.spelling = spelling;
        this.english = language.equals(QuestionLanguage.ENGLISH);
        this.german = language.equals(QuestionLanguage.GERMAN);
    }

    /** The question; empty where it is not sure what the topic is. */
    static Optional<String> of(String sentence, String language, InvertedSentence.Spelling spelling) {
        if (RuleWords.forms(language + ".topic").isEmpty() || VAGUE.matcher(sentence).matches()) {
            return Optional.empty();
        }
        String plain = ASIDE.matcher(sentence).replaceFirst("").replaceFirst("(?<! [ap]\\.m)[.!]+$", "");
        TopicQuestion topic = new TopicQuestion(List.of(plain.split("\\s+")), language, spelling);
        return topic.ofLabel(LABEL.matcher(sentence)).or(topic::ofCondition).or(topic::ofClause);
    }

    /** Whether a sentence is about what the one before it is about. */
    static boolean isContinued(String sentence, String language) {
        return isAnaphor(sentence.split("\\s+")[0], language);
    }

    private static boolean isAnaphor(String word, String language) {
        return RuleWords.of(language + ".anaphors").contains(plain(word));
    }

    private static String plain(String word) {
        return word.replaceAll("^[(\"\u201e\u201c\u00ab]|[,;:.)!\"\u201c\u201d\u00bb]+$", "").toLowerCase(Locale.ROOT);
    }

    private Optional<String> asked(int form, String topic) {
        return Optional.of(String.format(Locale.ROOT, RuleWords.forms(language + ".topic").get(form), topic));
    }

    private Optional<String> ofLabel(Matcher label) {
        boolean named = label.matches() && !RuleWords.of("all.no_labels").contains(plain(label.group(1)));
        List<String> name = named ? List.of(label.group(1).split("\\s+")) : List.of();
        return !named || name.size() > MOST_LABEL || IntStream.range(1, name.size()).anyMatch(i -> isVerb(name, i))
                ? Optional.empty() : asked(2, label.group(1));
    }

    /** What precedes the first comma, the subject or the German verb, where it is a condition, a time or a place. */
    private Optional<String> ofCondition() {
        String first = plain(words.get(0));
        boolean clause = CONDITIONS.contains(first);
        int comma = 1 + IntStream.range(0, words.size()).filter(i -> words.get(i).endsWith(",")).findFirst().orElse(-1);
        int verb = verb();
        boolean fronted = english && !clause && (comma == 0 || verb > 0 && verb < comma);
        int end = german && !clause ? verb : fronted ? subjectBehindFront(verb) : comma;
        int next = german ? end + 1 : end;
        if (end < 2 || end > MOST_WORDS
                || !clause && (!isFront(first) || next < words.size() && !words.get(next).equals(
                        "es") && isAnaphor(words.get(next), language))
                || words.subList(0, end).stream().anyMatch(
                        word -> isAnaphor(word, language) || RuleWords.of("all.vague").contains(plain(word)) || word
                                .matches(".*[;:]"))) {
            return Optional.empty();
        }
        String front = String.join(" ", words.subList(1, end)).replaceFirst(",$", "");
        boolean who = first.equals("wer");
        Optional<String> asked = asked(1, who ? "f\u00fcr jemanden, der " + front : first + " " + front);
        return german && clause && !who ? asked.map(text -> text.replaceFirst("gilt", "gilt,")) : asked;
    }

    /** Where the article of a subject is behind a time or a place: {@code During August | the pool closes}. */
    private int subjectBehindFront(int verb) {
        int at = verb;
        while (at > 1 && !words.get(at).matches("the|an?|all|every|each|no")) {
            at--;
        }
        String before = at > 1 ? words.get(at - 1) : "of";
        return InvertedSentence.BOUNDS.contains(before) || before.matches("of|and|or|is|are") ? 0 : at;
    }

    private boolean isFront(String word) {
        return RuleWords.of(language + ".fronts").contains(word);
    }

    private boolean isVerb(List<String> all, int i) {
        return german ? GermanClause.isFinite(all, i) : english ? InvertedSentence.isPredicate(all, i) : RuleWords.of(
                language + ".verbs").contains(all.get(i).replace('\u2019', '\'').replaceFirst("^n'", ""));
    }

    /** Where the verb is whose subject the words before it are; 0 where that is not sure. */
    private int verb() {
        int relative = 0;
        for (int i = 1; i < words.size() && i <= MOST_WORDS; i++) {
            relative += RELATIVE.contains(words.get(i - 1)) ? 1 : 0;
            if (isVerb(words, i) && relative-- == 0) {
                return i;
            }
        }
        return 0;
    }

    private Optional<String> ofClause() {
        int verb = verb();
        List<String> subject = words.subList(0, verb);
        String text = String.join(" ", subject);
        String marks = text.matches("[^,;]+(, [^,;]+)+,? (and|or|und|oder|et|ou|y|o|e|en|of) .+") ? ".*[;:]"
                : ".*[,;:]|.*[^.\\p{Lu}]{5}\\.";
        if (verb == 0 || verb + 1 == words.size()
                || subject.stream().anyMatch(word -> word.matches(marks) || isAnaphor(word,
                        language) || RuleWords.of(language + ".no_topics").contains(plain(word)))) {
            return Optional.empty();
        }
        String first = plain(words.get(0));
        String last = plain(words.get(verb - 1));
        Set<String> articles = RuleWords.of(language + ".articles");
        boolean named = german || english ? !RuleWords.of(language + ".no_firsts").contains(first)
                : articles.contains(first
                        .replaceFirst("(?<=^l['\u2019]).*", ""));
        if (!named || isFront(first) || HandbookFact.JOINING.contains(last) || english && (NO_FIRSTS.matcher(text
                .toLowerCase(Locale.ROOT)).matches() || InvertedSentence.BOUNDS.contains(last) || InvertedSentence.VERBS
                        .contains(first) && words.get(1).matches("the|an?|your|all|any|no"))) {
            return Optional.empty();
        }
        boolean many = (german || english) && (RuleWords.of("all.many").contains(first) || subject.stream().anyMatch(
                RELATIVE::contains));
        Optional<String> object = german ? GermanClause.object(subject, spelling)
                : first.equals("no") ? Optional.empty()
                        : Optional.of(lowered(subject));
        return yesOrNo(verb).or(() -> object.flatMap(topic -> office(subject).or(() -> asked(many ? 4 : 0, topic))));
    }

    private String lowered(List<String> subject) {
        return german ? GermanClause.lowered(subject, spelling)
                : english ? spelling.lowered(subject, subject.get(subject
                        .size() - 1).endsWith("s"))
                        : subject.get(0).toLowerCase(Locale.ROOT) + String.join(" ", subject)
                                .substring(subject.get(0).length());
    }

    /** Who has an office: whichever of the two is named first. */
    private Optional<String> office(List<String> subject) {
        String text = String.join(" ", words);
        Matcher office = OFFICE.matcher(text);
        return office.matches() ? asked(3, office.group(1))
                : HOLDER.matcher(text).matches() ? asked(3, lowered(subject))
                        : Optional.empty();
    }

    /** Whether something is so or may be done, where the statement says that it may, or is or may not. */
    private Optional<String> yesOrNo(int verb) {
        String asked = words.get(verb);
        int end = IntStream.range(verb + 1, words.size())
                .filter(i -> words.get(i - 1).matches(".*[,;:]") || STOP.matcher(
                        words.get(i)).matches()
                        || HandbookFact.JOINING.contains(words.get(i)) && i + 1 < words.size() && isVerb(
                                words, i + 1))
                .findFirst().orElse(words.size());
        String rest = " " + String.join(" ", words.subList(verb + 1, end)).replaceFirst("[,;:]$", "") + " ";
        boolean no = words.get(0).equals("No");
        boolean allowed = asked.matches("may|darf|d\u00fcrfen");
        boolean denied = no || asked.equals("cannot") || (german ? rest.contains(" nicht ") : rest.startsWith(" not "));
        String said = rest.replaceFirst(german ? " nicht " : "^ not ", " ").strip();
        boolean parted = german && asked.matches("d[a\u00fc]rf(en)?") && !said.endsWith("n");
        boolean helping = german && !parted || InvertedSentence.AUXILIARIES.contains(asked)
                || asked.matches("cannot|do|does");
        if (!allowed && !denied || !helping || said.isEmpty()
                || Stream.of(said.split(" ")).anyMatch(word -> isAnaphor(word,
                        language) || BOUND.matcher(word).matches())) {
            return Optional.empty();
        }
        List<String> subject = words.subList(no ? 1 : 0, verb);
        String verbs = asked.equals("must") ? "may" : asked.equals("cannot") ? "can" : asked;
        return Optional
                .of(RuleWords.capital(verbs) + " " + (no ? "any " + String
                        .join(" ", subject) : lowered(subject)) + " " + said + "?");
    }
}
