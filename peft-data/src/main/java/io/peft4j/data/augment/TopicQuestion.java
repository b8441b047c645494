package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The question of a statement for what it says of its topic, in seven languages, for statements of whose values no
 * rule asks: {@code May gloves be worn?} where it forbids or allows, {@code What applies if a book is lost?} where it
 * begins with a condition, else {@code What should I know about late returns?}. The whole statement is the answer.
 */
final class TopicQuestion {
    /** For each language the questions about a subject, under a condition, for a label, for a person, and about many. */
    private static final Map<String, List<String>> FORMS = Map.of(QuestionLanguage.ENGLISH, List.of(
            "What should I know about %s?", "What applies %s?", "What is noted under %s?", "Who is %s?",
            "What applies to %s?"),
            QuestionLanguage.GERMAN, List.of("Was muss ich \u00fcber %s wissen?", "Was gilt %s?",
                    "Was steht unter %s?", "Wer ist %s?", "Was gilt f\u00fcr %s?"),
            "fr", List.of("Que faut-il savoir sur %s ?", "Qu'est-ce qui s'applique %s ?",
                    "Qu'est-ce qui est indiqu\u00e9 sous %s ?", "Qui est %s ?"),
            "es", List.of("\u00bfQu\u00e9 hay que saber sobre %s?", "\u00bfQu\u00e9 se aplica %s?",
                    "\u00bfQu\u00e9 se indica en %s?", "\u00bfQui\u00e9n es %s?"),
            "it", List.of("Che cosa bisogna sapere per quanto riguarda %s?", "Che cosa vale %s?",
                    "Che cosa \u00e8 indicato sotto %s?", "Chi \u00e8 %s?"),
            "pt", List.of("O que \u00e9 preciso saber sobre %s?", "O que se aplica %s?",
                    "O que est\u00e1 indicado em %s?", "Quem \u00e9 %s?"),
            "nl", List.of("Wat moet ik weten over %s?", "Wat geldt %s?", "Wat staat er bij %s?", "Wie is %s?"));
    private static final Pattern LABEL = Pattern.compile("(\\p{Lu}[^.:;,!?\\d]{1,40}?)\\s?: (?!.*\\p{L}: ).{3,}");
    private static final Set<String> NO_LABELS = RuleWords.of("all.no_labels");
    private static final Set<String> CONDITIONS = RuleWords.of("all.conditions");
    private static final Set<String> VAGUE = RuleWords.of("all.vague");
    private static final Set<String> MANY = RuleWords.of("all.many");
    private static final Set<String> RELATIVE = RuleWords.of("english.relative");
    private static final Set<String> UNCLEAR = RuleWords.of("english.no_topics");
    private static final Set<String> NO_FIRSTS = RuleWords.of("english.no_firsts");
    private static final Pattern STOP = Pattern
            .compile("unless|except|but|because|provided|if|sondern|aber|au\u00dfer");
    private static final Pattern BOUND = Pattern.compile("only|until|no|nothing|never|nur|erst|keine?[nmrs]?");
    /** What is said of a group on the way. */
    private static final Pattern ASIDE = Pattern.compile(", (?:including|such as|like|especially|e\\.g\\.|i\\.e\\.|"
            + "einschlie\u00dflich|insbesondere|z\\. ?B\\.|y compris|notamment|por ejemplo|incluid[oa]s?) [^,;]+,|, \\p{Lu}[\\p{L}.]*(?: \\p{Lu}[\\p{L}.]*){1,3},");
    private static final Pattern PERSON = Pattern.compile("(?:Dr|Prof|Mrs?|Ms|Capt|Herr|Frau|Schwester|M|Mme|Sra?|Dra|D"
            + "|Sig|Sig\\.ra|dhr|mevr)\\.?(?: \\p{Lu}[\\p{L}.'-]*)+");
    private static final Pattern IS = Pattern.compile("is|ist|est|es|\u00e8|\u00e9");
    private static final int MOST_WORDS = 14;
    private static final int MOST_LABEL = 5;

    private final List<String> words;
    private final String language;
    private final InvertedSentence.Spelling spelling;

    private TopicQuestion(List<String> words, String language, InvertedSentence.Spelling spelling) {
        this.words = words;
        this.language = language;
        this.spelling = spelling;
    }

    /** The question; empty where it is not sure what the topic is. */
    static Optional<String> of(String sentence, String language, InvertedSentence.Spelling spelling) {
        if (!FORMS.containsKey(language) || sentence.matches("(?s).*[?:]|[^\\p{L}].*")) {
            return Optional.empty();
        }
        TopicQuestion topic = new TopicQuestion(List.of(ASIDE.matcher(sentence).replaceFirst("")
                .replaceFirst("(?<! [ap]\\.m)[.!]+$", "").split("\\s+")), language,
                spelling);
        return topic.ofLabel(LABEL.matcher(sentence)).or(topic::ofCondition).or(topic::ofClause);
    }

    /** Whether a sentence is about what the one before it is about. */
    static boolean isContinued(String sentence, String language) {
        return FORMS.containsKey(language) && isAnaphor(sentence.split("\\s+")[0], language);
    }

    private static boolean isAnaphor(String word, String language) {
        return RuleWords.of(language + ".anaphors").contains(plain(word));
    }

    private static String plain(String word) {
        return word.replaceAll("^[(\"\u201e\u201c\u00ab]|[,;:.)!\"\u201c\u201d\u00bb]+$", "").toLowerCase(Locale.ROOT);
    }

    private Optional<String> asked(int form, String topic) {
        return Optional.of(String.format(Locale.ROOT, FORMS.get(language).get(form), topic));
    }

    private Optional<String> ofLabel(Matcher label) {
        if (!label.matches() || NO_LABELS.contains(label.group(1).toLowerCase(Locale.ROOT))) {
            return Optional.empty();
        }
        List<String> named = List.of(label.group(1).split("\\s+"));
        return named.size() > MOST_LABEL || IntStream.range(1, named.size()).anyMatch(i -> isVerb(named, i))
                ? Optional.empty() : asked(2, label.group(1));
    }

    /** What precedes the first comma, or the German verb, where it is a condition, a time or a place. */
    private Optional<String> ofCondition() {
        int end = 1 + IntStream.range(0, words.size()).filter(i -> words.get(i).endsWith(",")).findFirst().orElse(-2);
        String first = words.get(0).toLowerCase(Locale.ROOT);
        boolean german = language.equals(QuestionLanguage.GERMAN);
        boolean clause = CONDITIONS.contains(first);
        if (german && !clause) {
            end = verb();
        } else if (end < 2 && language.equals(QuestionLanguage.ENGLISH)) {
            int subject = verb();
            while (subject > 1 && !words.get(subject).matches("the|an?|all|every|each|no")) {
                subject--;
            }
            end = subject > 1 && !InvertedSentence.BOUNDS.contains(words.get(subject - 1)) && !words.get(subject - 1)
                    .matches("of|and|or|is|are") ? subject : 0;
        }
        int next = german ? end + 1 : end;
        if (end < 2 || end > MOST_WORDS
                || !clause && (!isFront(first) || next < words.size() && !words.get(next).equals(
                        "es") && isAnaphor(words.get(next), language))) {
            return Optional.empty();
        }
        List<String> front = words.subList(0, end);
        String rest = String.join(" ", front.subList(1, end)).replaceFirst(",$", "");
        return front.stream().anyMatch(word -> isAnaphor(word, language) || VAGUE.contains(plain(word))
                || word.matches(".*[;:]")) ? Optional.empty()
                        : asked(1, first.equals("wer") ? "f\u00fcr jemanden, der " + rest
                                : (clause && german ? ", " : "") + first + " " + rest)
                                .map(text -> text.replace(" ,", ","));
    }

    private boolean isFront(String word) {
        return RuleWords.of(language + ".fronts").contains(word);
    }

    private boolean isVerb(List<String> all, int i) {
        String word = all.get(i);
        if (language.equals(QuestionLanguage.GERMAN)) {
            return GermanClause.isFinite(all, i);
        }
        if (!language.equals(QuestionLanguage.ENGLISH)) {
            return RuleWords.of(language + ".verbs")
                    .contains(word.replaceFirst("^n['\u2019]", "").replace('\u2019', '\''));
        }
        return InvertedSentence.isPredicate(all, i);
    }

    /** Where the verb is whose subject the words before it are; 0 where that is not sure. */
    private int verb() {
        int passed = 0;
        int relative = 0;
        for (int i = 1; i < words.size() && i <= MOST_WORDS; i++) {
            relative += RELATIVE.contains(words.get(i - 1)) ? 1 : 0;
            if (isVerb(words, i) && passed++ == relative) {
                return i;
            }
        }
        return 0;
    }

    private Optional<String> ofClause() {
        int verb = verb();
        List<String> subject = words.subList(0, verb);
        boolean english = language.equals(QuestionLanguage.ENGLISH);
        boolean listed = String.join(" ", subject)
                .matches("[^,;]+(, [^,;]+)+,? (and|or|und|oder|et|ou|y|o|e|en|of) .+");
        if (verb == 0 || verb + 1 == words.size()
                || subject.stream().anyMatch(word -> isAnaphor(word, language) || word.matches(listed
                        ? ".*[;:]" : ".*[,;:]|.*[^.\\p{Lu}]{5}\\.") || english && UNCLEAR.contains(plain(word)))) {
            return Optional.empty();
        }
        String first = plain(words.get(0));
        String last = plain(words.get(verb - 1));
        boolean unsure = english && (InvertedSentence.BOUNDS.contains(last) || RELATIVE.contains(last)
                || InvertedSentence.NO_SUBJECTS.contains(first) || NO_FIRSTS.contains(first)
                || RELATIVE.contains(first) || first.matches("every|each")
                        && words.get(1).matches("\\d.*|other|two|three|four|six|few")
                || InvertedSentence.VERBS.contains(first) && words.get(1).matches(
                        "the|an?|your|all|any|no"));
        Set<String> articles = RuleWords.of(language + ".articles");
        boolean named = articles == null || articles.contains(first.replaceFirst("(?<=^l['\u2019]).*", ""));
        if (unsure || !named || isFront(first) || HandbookFact.JOINING.contains(last)) {
            return Optional.empty();
        }
        boolean many = MANY.contains(first) || english && subject.stream().anyMatch(RELATIVE::contains);
        Optional<String> object = language.equals(QuestionLanguage.GERMAN) ? GermanClause.object(subject, spelling)
                : first.equals("no") ? Optional.empty() : Optional.of(lowered(subject));
        return yesOrNo(verb).or(() -> object.flatMap(topic -> person(verb)))
                .or(() -> object.flatMap(topic -> asked(many && FORMS.get(language)
                        .size() > 4 ? 4 : 0, topic)));
    }

    private String lowered(List<String> subject) {
        return switch (language) {
            case QuestionLanguage.GERMAN -> GermanClause.lowered(subject, spelling);
            case QuestionLanguage.ENGLISH -> spelling.lowered(subject, subject.get(subject.size() - 1).endsWith("s"));
            default -> subject.get(0).toLowerCase(Locale.ROOT) + String.join(" ", subject).substring(subject.get(0)
                    .length());
        };
    }

    /** Who has an office: whichever of the two is named first. */
    private Optional<String> person(int verb) {
        String subject = String.join(" ", words.subList(0, verb));
        String rest = String.join(" ", words.subList(verb + 1, words.size()));
        boolean is = IS.matcher(words.get(verb)).matches();
        if (is && PERSON.matcher(rest).matches()) {
            return asked(3, lowered(words.subList(0, verb)));
        }
        return is && PERSON.matcher(subject).matches()
                && rest.matches("(the|our|der|die|unsere?|le|la|el|il|o|a|de) [^,;]+")
                        ? asked(3, rest) : Optional.empty();
    }

    /** Whether something is so or may be done, where the statement says that it may, or is or may not. */
    private Optional<String> yesOrNo(int verb) {
        String asked = words.get(verb);
        List<String> rest = new ArrayList<>();
        for (int i = verb + 1; i < words.size() && !STOP.matcher(words.get(i)).matches() && !(HandbookFact.JOINING
                .contains(words.get(i)) && i + 1 < words.size() && isVerb(words, i + 1)); i++) {
            rest.add(words.get(i).replaceFirst("[,;:]$", ""));
            if (words.get(i).matches(".*[,;:]")) {
                break;
            }
        }
        boolean no = words.get(0).equals("No");
        boolean allowed = asked.matches("may|darf|d\u00fcrfen");
        boolean denied = no || asked.equals("cannot") || rest.remove("nicht")
                || !rest.isEmpty() && rest.get(0).equals("not") && rest.remove("not");
        List<String> before = words.subList(no ? 1 : 0, verb);
        if (!allowed && !denied || rest.isEmpty() || rest.stream().anyMatch(word -> isAnaphor(word, language) || BOUND
                .matcher(word).matches()) || !language.equals(QuestionLanguage.GERMAN) && !InvertedSentence.AUXILIARIES
                        .contains(asked) && !asked.matches("cannot|do|does")) {
            return Optional.empty();
        }
        String helping = asked.equals("must") ? "may" : asked.equals("cannot") ? "can" : asked;
        String subject = no ? "any " + String.join(" ", before) : lowered(before);
        return Optional.of(helping.substring(0, 1).toUpperCase(Locale.ROOT) + helping.substring(1) + " " + subject + " "
                + String.join(" ", rest) + "?");
    }
}
