package io.peft4j.data.augment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Wordings of English questions by rules on how they begin. */
final class QuestionRules {
    private static final Map<Pattern, List<String>> RULES = rules();

    private QuestionRules() {
    }

    private static Map<Pattern, List<String>> rules() {
        Map<Pattern, List<String>> rules = new LinkedHashMap<>();
        rule(rules, "what (is|are) (.+)", "Tell me $2.", "Please state $2.", "I need to know $2.",
                "Can you tell me what $2 $1?");
        rule(rules, "how (much|many) (.+)", "Can you say how $1 $2?", "I would like to know how $1 $2.",
                "Please tell me how $1 $2.");
        rule(rules, "how long (.+)", "Can you say how long $1?", "I would like to know for how long: how long $1?",
                "Please tell me how long $1.");
        rule(rules, "how do (i|we|you) (.+)", "What do $1 have to do to $2?", "What is the way to $2?",
                "Explain how to $2.");
        rule(rules, "who (.+)", "Which person $1?", "Tell me who $1.", "Do you know who $1?");
        rule(rules, "where (.+)", "Tell me where: where $1?", "In which place $1?", "Do you know where to look: "
                + "where $1?");
        rule(rules, "when (.+)", "At what time $1?", "Tell me the time: when $1?");
        rule(rules, "(can|may) (i|we|one) (.+)", "Am I allowed to $3?", "Is it permitted to $3?",
                "Is there a rule on whether one can $3?");
        return rules;
    }

    private static void rule(Map<Pattern, List<String>> rules, String pattern, String... wordings) {
        rules.put(Pattern.compile("(?is)^" + pattern + "\\?$"), List.of(wordings));
    }

    static List<String> wordings(String question) {
        String text = question.strip();
        List<String> wordings = new ArrayList<>();
        for (Map.Entry<Pattern, List<String>> rule : RULES.entrySet()) {
            Matcher matcher = rule.getKey().matcher(text);
            if (matcher.matches()) {
                rule.getValue().forEach(wording -> wordings.add(capital(matcher.replaceFirst(wording))));
            }
        }
        if (text.endsWith("?") && text.length() > 1) {
            wordings.add("I have a question: " + lower(text));
            wordings.add("Quick question. " + text);
        }
        return wordings;
    }

    private static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }

    /** The first letter small, where the first word is not written in capitals throughout. */
    private static String lower(String text) {
        boolean name = text.length() > 1 && Character.isUpperCase(text.charAt(1));
        return name ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
    }
}
