package io.peft4j.data.near;

import java.util.List;

/** What a question asks for, by its question word. */
enum QuestionType {
    /** A person. */
    WHO,
    /** A time. */
    WHEN,
    /** A place. */
    WHERE,
    /** A reason. */
    WHY,
    /** An amount or a length. */
    AMOUNT,
    /** A way. */
    HOW,
    /** A thing, which may be any of the others: what is the deadline. */
    WHAT,
    /** Whether. */
    WHETHER,
    /** Not a question in form. */
    NONE;

    static QuestionType of(List<Word> words) {
        for (int i = 0; i < words.size(); i++) {
            String next = i + 1 < words.size() ? words.get(i + 1).norm() : "";
            QuestionType asked = switch (words.get(i).norm()) {
                case "who", "whom", "whose", "wer", "wen", "wem" -> WHO;
                case "when", "wann" -> WHEN;
                case "where", "wo", "wohin" -> WHERE;
                case "why", "warum", "wieso" -> WHY;
                case "how", "wie" -> switch (next) {
                    case "many", "much", "long", "often", "viel", "viele", "lange", "oft" -> AMOUNT;
                    default -> HOW;
                };
                case "what", "which", "was", "welche", "welcher", "welches" -> i == 0 || !next.isEmpty() ? WHAT : NONE;
                default -> NONE;
            };
            boolean past = asked == WHAT && words.get(i).norm().equals("was") && i > 0;
            if (asked != NONE && !past) {
                return asked;
            }
        }
        boolean verbFirst = !words.isEmpty() && StopWords.AUXILIARIES.contains(words.get(0).norm());
        boolean request = words.size() > 2 && words.stream().limit(4).anyMatch(word -> word.norm().equals("tell")
                || word.norm().equals("give") || word.norm().equals("explain") || word.norm().equals("sagen"));
        return verbFirst && !request ? WHETHER : NONE;
    }

    /** Whether two questions can ask for the same. */
    boolean fits(QuestionType other) {
        if (this == other || this == NONE || other == NONE) {
            return true;
        }
        return (this == WHAT || other == WHAT) && this != WHETHER && other != WHETHER;
    }
}
