package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Wordings of English questions by rules on how they begin. A rule is for questions of which it is sure where the verb
 * belongs: those with a pronoun, those of one noun phrase, and those whose subject is asked for.
 */
final class EnglishRules {
    private static final String WH = "((?:what|which|whose|whom|who|where|when|why|how|for how|by when|until when|"
            + "from when|at what|in which|on which)\\b[^,;:?]*?)";
    private static final String PRONOUN = "(I|we|you|they)";
    private static final String MODAL = "(can|may|must|should|will|am|are|have)";
    /** A noun phrase that extends to the end: no other clause in it. */
    private static final String PHRASE = "((?:the|my|our|your|their|a|an|this) [^,;:?]+)";
    private static final Pattern CLAUSE = Pattern.compile("(?i)\\b(if|when|where|while|that|who|whom|which|whether|"
            + "because|after|before|until|unless|I|we|you|they|he|she|it|can|may|must|should|will|is|are|was|were|do|"
            + "does|did|has|have|doing|like|to)\\b");
    /** Words that end a clause whose verb is parted: if "is" precedes them it does so in all wordings. */
    private static final Pattern PARTED = Pattern.compile("(?i).*(ed|en|paid|kept|held|due|open|free|made|sent|set|"
            + "available|allowed|located|bound|valid|ready|full|responsible|about|for|from|in|on|at|with|of|over|up|"
            + "off|out)$");
    private static final Set<String> VERBS = Set.of("last", "cost", "take", "start", "begin", "end", "get", "receive",
            "give", "need", "have", "open", "close", "work", "mean", "apply", "expire", "earn", "pay", "serve", "use",
            "require", "include", "cover", "happen", "count", "contain", "say", "arrive", "meet");
    private static final String OPEN = "(?is)^";
    private static final String END = "\\?$";
    private static final Pattern PHRASED = Pattern.compile(OPEN + "(what|who|how long|how high|how large|how big|"
            + "how far|how much|how old|where|when) (is|are) " + PHRASE + END);
    private static final Pattern WITH_PRONOUN = Pattern.compile(OPEN + WH + " "
            + "(do|can|may|must|should|will|am|are|have) " + PRONOUN + " ([^?]+)" + END);
    private static final Pattern HOW_DO = Pattern.compile(OPEN + "how (?:do|can|should) (I|we|you) ([^?]+)" + END);
    private static final Pattern WITH_DOES = Pattern.compile(OPEN + WH + " (do|does) ([^,;:?]+) (\\w+)" + END);
    private static final Pattern SUBJECT = Pattern.compile(OPEN + "(who (?!is\\b|are\\b|was\\b|were\\b|do\\b|does\\b|"
            + "did\\b|"
            + "can\\b|may\\b|must\\b|should\\b|will\\b|has\\b|have\\b|else\\b|would\\b|could\\b|am\\b)\\w+ [^?]+"
            + "|who (?:is|are) (?:responsible|allowed|entitled|eligible|required|covered|able) [^?]+"
            + "|who (?:must|can|may|should|will) (?!I\\b|we\\b|you\\b|they\\b|the\\b|a\\b|an\\b|my\\b|our\\b)[a-z]+ "
            + "[^?]+"
            + "|(?:which|how many|how much) [^?,]*? (?:is|are) [a-z]+ed\\b[^?]*)" + END);
    private static final Pattern PERSON = Pattern.compile(OPEN + "who (?!is (?:the|my|our|a|an|this|in)\\b|was\\b)"
            + "([a-z]+s (?!(?-i)\\p{Lu})[^?]+)" + END);
    private static final Pattern THERE = Pattern.compile(OPEN + "(is|are) there ([^?]+)" + END);
    private static final Pattern YES_NO = Pattern.compile(OPEN + MODAL.replace("(", "(do|") + " " + PRONOUN + " ([^?]+)"
            + END);
    private static final Pattern ALLOWED = Pattern.compile(OPEN + "(?:can|may) (I|we) ([^?]+)" + END);
    private static final Pattern NEEDED = Pattern.compile(OPEN + "(?:do (?:I|we) (?:need|have) to|must (?:I|we)) "
            + "([^?]+)"
            + END);
    private static final Pattern QUESTION = Pattern.compile(OPEN + "(?:what|which|whose|whom|who|where|when|why|how|"
            + "is|are|"
            + "am|do|does|did|can|may|must|should|will|would|could|has|have|if|by|until|from|for|at|in|on|to|"
            + "under)\\b.*"
            + "[^.!?]" + END);

    private EnglishRules() {
    }

    static List<String> wordings(String question) {
        List<String> wordings = new ArrayList<>();
        boolean one = question.indexOf('.') < 0 && question.indexOf('!') < 0;
        if (one) {
            direct(question, wordings);
            indirect(question, wordings);
        }
        if (QUESTION.matcher(question).matches()) {
            wordings.add("I have a question: " + lower(question));
        }
        wordings.add("Quick question. " + question);
        return wordings;
    }

    /** Other questions and requests of the same meaning. */
    private static void direct(String question, List<String> wordings) {
        Matcher how = HOW_DO.matcher(question);
        if (how.matches()) {
            wordings.add("What " + (isI(how.group(1)) ? "do I" : "do " + small(how.group(1))) + " have to do to "
                    + how.group(2) + "?");
            wordings.add("Explain how to " + how.group(2) + ".");
        }
        Matcher allowed = ALLOWED.matcher(question);
        if (allowed.matches()) {
            wordings.add((isI(allowed.group(1)) ? "Am I" : "Are we") + " allowed to " + allowed.group(2) + "?");
        }
        Matcher needed = NEEDED.matcher(question);
        if (needed.matches()) {
            wordings.add("Is it necessary to " + needed.group(1) + "?");
        }
        Matcher person = PERSON.matcher(question);
        if (person.matches()) {
            wordings.add("Which person " + person.group(1) + "?");
        }
        Matcher phrase = PHRASED.matcher(question);
        if (phrase.matches() && phrase.group(1).equalsIgnoreCase("what") && !hasClause(phrase.group(3))
                && !phrase.group(3).matches("(?i)an? .*")) {
            wordings.add("Tell me " + phrase.group(3) + ".");
        }
    }

    /** The question within a request. */
    private static void indirect(String question, List<String> wordings) {
        String clause = clause(question);
        if (!clause.isEmpty()) {
            wordings.add("Can you tell me " + clause + "?");
            wordings.add("I would like to know " + clause + ".");
        }
    }

    private static String clause(String question) {
        Matcher phrase = PHRASED.matcher(question);
        if (phrase.matches() && !hasClause(phrase.group(3)) && (phrase.group(1).equalsIgnoreCase("what")
                || !PARTED.matcher(phrase.group(3)).matches())) {
            return small(phrase.group(1)) + " " + phrase.group(3) + " " + small(phrase.group(2));
        }
        Matcher pronoun = WITH_PRONOUN.matcher(question);
        if (pronoun.matches()) {
            String verb = small(pronoun.group(2));
            if (verb.equals("do") && pronoun.group(4).startsWith("do ")) {
                return small(pronoun.group(1)) + " to " + pronoun.group(4);
            }
            return small(pronoun.group(1)) + " " + pronoun(pronoun.group(3)) + (verb.equals("do") ? "" : " " + verb)
                    + " " + pronoun.group(4);
        }
        Matcher does = WITH_DOES.matcher(question);
        if (does.matches() && VERBS.contains(does.group(4)) && !hasClause(does.group(3))) {
            return small(does.group(1)) + " " + does.group(3) + " " + (does.group(2).equalsIgnoreCase("do")
                    ? does.group(4) : third(does.group(4)));
        }
        Matcher subject = SUBJECT.matcher(question);
        if (subject.matches()) {
            return small(subject.group(1));
        }
        Matcher there = THERE.matcher(question);
        if (there.matches()) {
            return "whether there " + small(there.group(1)) + " " + there.group(2);
        }
        Matcher yesNo = YES_NO.matcher(question);
        if (yesNo.matches()) {
            String verb = small(yesNo.group(1));
            return "whether " + pronoun(yesNo.group(2)) + (verb.equals("do") ? "" : " " + verb) + " " + yesNo.group(3);
        }
        return "";
    }

    private static boolean hasClause(String phrase) {
        return CLAUSE.matcher(phrase).find();
    }

    private static boolean isI(String pronoun) {
        return pronoun.equalsIgnoreCase("I");
    }

    private static String pronoun(String pronoun) {
        return isI(pronoun) ? "I" : small(pronoun);
    }

    /** The third person of a verb. */
    private static String third(String verb) {
        if (verb.equals("have")) {
            return "has";
        }
        return verb.matches(".*[^aeiou]y") ? verb.substring(0, verb.length() - 1) + "ies"
                : verb.matches(".*(s|sh|ch|x|o)") ? verb + "es" : verb + "s";
    }

    private static String small(String text) {
        return text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
    }

    /** The first letter small: only words that are no names come here. */
    private static String lower(String question) {
        return question.matches("(?s)I\\b.*") ? question : small(question);
    }
}
