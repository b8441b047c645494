package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.data.augment.Augmentation.QuestionRules;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every wording that rules make of some hundred questions was read and judged; see the README beside the files. */
class QuestionRulesTest {
    private static final double WELL_FORMED = 0.97;

    private static Map<String, List<String>> judged(String file) throws IOException {
        Map<String, List<String>> judged = new LinkedHashMap<>();
        try (InputStream in = QuestionRulesTest.class.getResourceAsStream("/augment/" + file)) {
            List<String> wordings = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                if (line.startsWith("? ")) {
                    wordings = new ArrayList<>();
                    judged.put(line.substring(2), wordings);
                } else {
                    wordings.add(line);
                }
            }
        }
        return judged;
    }

    @ParameterizedTest
    @CsvSource({"english.txt, 300", "german.txt, 80"})
    void theWordingsOfAllQuestionsWereReadAndAreWellFormed(String file, int fewest) throws IOException {
        Map<String, List<String>> judged = judged(file);
        assertTrue(judged.size() >= fewest, judged.size() + " questions");
        int good = 0;
        int all = 0;
        for (Map.Entry<String, List<String>> question : judged.entrySet()) {
            assertEquals(question.getValue().stream().map(line -> line.substring(2)).toList(),
                    QuestionRules.wordings(question.getKey()), question.getKey());
            all += question.getValue().size();
            good += (int) question.getValue().stream().filter(line -> line.startsWith("+ ")).count();
        }
        assertTrue(good >= WELL_FORMED * all, good + " of " + all);
        assertTrue(all >= 2 * judged.size(), all + " wordings");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "Quelle est la dur\u00e9e du pr\u00e9avis pour un consultant ?", "Combien de jours de cong\u00e9 ai-je ?",
        "O\u00f9 puis-je garer mon v\u00e9lo ?", "\u00bfCu\u00e1l es el plazo de preaviso?",
        "\u00bfCu\u00e1ntos d\u00edas de vacaciones tengo?", "Qual \u00e8 il periodo di preavviso per un apprendista?",
        "Quanti giorni di ferie ho?", "Wat is de opzegtermijn voor een trainee?", "Hoeveel vakantiedagen heb ik?",
        "Qual \u00e9 o prazo de aviso pr\u00e9vio?", "Jak d\u0142ugi jest okres wypowiedzenia?",
        "Hvor lang er opsigelsesperioden?", "\u96e2\u8077\u306e\u671f\u9593\u306f?",
        "\u041a\u0430\u043a\u043e\u0432 \u0441\u0440\u043e\u043a?"})
    void questionsOfOtherLanguagesAreLeftAlone(String question) {
        assertEquals(List.of(), QuestionRules.wordings(question));
    }

    @Test
    void whatIsNoSingleQuestionIsLeftAlone() {
        assertEquals(List.of(), QuestionRules.wordings("Tell me the notice period."));
        assertEquals(List.of(), QuestionRules.wordings("What is this? And what is that?"));
        assertEquals(List.of(), QuestionRules.wordings("?"));
    }
}
