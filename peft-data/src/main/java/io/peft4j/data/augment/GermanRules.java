package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Wordings of German questions by rules. In a subordinate clause the verb comes last, which is sure where a question
 * ends in a noun, and where its verb is a modal one or stands before a pronoun.
 */
final class GermanRules {
    private static final String WH = "((?:wie|was|wann|wo|wer|wen|wem|warum|wohin|woher|welche|welcher|welches|welchen|"
            + "welchem|bis wann|ab wann|seit wann|an wen|bei wem|mit wem|auf welche|f\u00fcr wen)\\b[^,;:?]*?)";
    private static final String OPEN = "(?su)^";
    private static final String END = "\\?$";
    private static final String MODALS = "kann|k\u00f6nnen|darf|d\u00fcrfen|muss|m\u00fcssen|soll|sollen|will|wollen";
    private static final Pattern WITH_PRONOUN = Pattern.compile(OPEN + "(?i:" + WH + ") (" + MODALS + "|habe|haben|"
            + "bekomme|"
            + "bekommen|erhalte|erhalten|brauche|brauchen|bin|sind) (ich|wir)((?: [^,;:?]+)?)" + END);
    private static final Pattern PHRASED = Pattern.compile(OPEN + "(?i:(wie lange|wie hoch|wie gro\u00df|wie lang|"
            + "wie viel|was|wo|"
            + "wann|wie)) (ist|sind|dauert|dauern|betr\u00e4gt|betragen|kostet|kosten|gilt|gelten|hei\u00dft|beginnt|"
            + "endet|liegt) "
            + "((?:der|die|das|mein|meine|unser|unsere|ein|eine) [^,;:?]*\\p{Lu}[\\p{L}\\p{N}-]*)" + END);
    private static final Pattern SUBJECT = Pattern.compile(OPEN + "(?i:(wer)) (?!ist\\b|sind\\b|hat\\b|war\\b|wird\\b|"
            + MODALS.replace("|", "\\b|") + "\\b)(\\p{Ll}+t) ([^,;:?]*\\p{Lu}[\\p{L}\\p{N}-]*)" + END);
    private static final Pattern YES_NO = Pattern.compile(OPEN + "(?i:(" + MODALS + "|habe|haben|bekomme|bekommen)) "
            + "(ich|wir) "
            + "([^,;:?]+)" + END);

    private GermanRules() {
    }

    static List<String> wordings(String question) {
        List<String> wordings = new ArrayList<>();
        String clause = question.indexOf('.') < 0 && question.indexOf('!') < 0 ? clause(question) : "";
        if (!clause.isEmpty()) {
            wordings.add("Sag mir bitte, " + clause + ".");
            wordings.add("Ich m\u00f6chte wissen, " + clause + ".");
            wordings.add("Kannst du mir sagen, " + clause + "?");
        }
        wordings.add("Kurz gefragt: " + question);
        return wordings;
    }

    private static String clause(String question) {
        Matcher pronoun = WITH_PRONOUN.matcher(question);
        if (pronoun.matches()) {
            return small(pronoun.group(1)) + " " + pronoun.group(3) + pronoun.group(4) + " " + pronoun.group(2);
        }
        Matcher phrase = PHRASED.matcher(question);
        if (phrase.matches()) {
            return small(phrase.group(1)) + " " + phrase.group(3) + " " + phrase.group(2);
        }
        Matcher subject = SUBJECT.matcher(question);
        if (subject.matches()) {
            return small(subject.group(1)) + " " + subject.group(3) + " " + subject.group(2);
        }
        Matcher yesNo = YES_NO.matcher(question);
        return yesNo.matches() ? "ob " + yesNo.group(2) + " " + yesNo.group(3) + " " + small(yesNo.group(1)) : "";
    }

    private static String small(String text) {
        return text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
    }
}
