package io.peft4j.data.augment;

import java.util.List;

/** Wordings of questions by rules of their language; of a language without rules there are none. */
final class QuestionRules {
    private QuestionRules() {
    }

    static List<String> wordings(String question) {
        String text = question.strip();
        if (text.length() < 2 || !text.endsWith("?") || text.indexOf('?') < text.length() - 1) {
            return List.of();
        }
        return switch (QuestionLanguage.of(text).orElse("")) {
            case QuestionLanguage.ENGLISH -> EnglishRules.wordings(text);
            case QuestionLanguage.GERMAN -> GermanRules.wordings(text);
            default -> List.of();
        };
    }
}
