package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DrawnFactsTest {
    private static final Path PAIRS = Path.of("src/test/resources/fixtures/judging/pairs.jsonl");
    private static final String ALPHABET = "0123 .,:-/'%\u20ac\ue000\ue001ABCthreeuhr\u00e9\u4e00\n+@()";
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Each pair with whether its answer is accepted, among the other items of its data set. */
    private static Map<JsonNode, Boolean> judged() throws IOException {
        Map<JsonNode, Boolean> judged = new LinkedHashMap<>();
        items().forEach((pair, item) -> judged.put(pair, item.isAnsweredBy(pair.get("answer").asText())));
        return judged;
    }

    private static Map<JsonNode, EvaluationItem> items() throws IOException {
        Map<String, Map<String, EvaluationItem>> sets = new LinkedHashMap<>();
        List<JsonNode> pairs = new ArrayList<>();
        for (String line : Files.readAllLines(PAIRS)) {
            JsonNode pair = JSON.readTree(line);
            pairs.add(pair);
            sets.computeIfAbsent(pair.get("set").asText(), name -> new LinkedHashMap<>()).putIfAbsent(pair.get(
                    "question").asText(), EvaluationItem.reference(pair.get("question").asText(),
                            pair.get("reference")
                                    .asText()));
        }
        Map<String, EvaluationItem> items = new HashMap<>();
        sets.values().forEach(set -> EvaluationItem.together(List.copyOf(set.values())).forEach(item -> items.put(item
                .question(), item)));
        Map<JsonNode, EvaluationItem> judged = new LinkedHashMap<>();
        pairs.forEach(pair -> judged.put(pair, items.get(pair.get("question").asText())));
        return judged;
    }

    @ParameterizedTest
    @ValueSource(strings = {"development", "held_out", "fresh", "independent", "later", "moved", "moved_later", "blind",
        "blind_later", "mended"})
    void answersAreJudgedAsACarefulReaderJudgesThem(String part) throws IOException {
        int[][] counts = new int[2][2];
        List<String> wrong = new ArrayList<>();
        judged().forEach((pair, accepted) -> {
            if (pair.get("part").asText().equals(part)) {
                boolean right = pair.get("right").asBoolean();
                counts[right ? 1 : 0][accepted ? 1 : 0]++;
                assertFalse(accepted && pair.get("wrong_number").asBoolean(), pair.toString());
                if (right != accepted) {
                    wrong.add(pair.get("reference").asText() + " <- " + pair.get("answer").asText());
                }
            }
        });
        int all = counts[0][0] + counts[0][1] + counts[1][0] + counts[1][1];
        assertTrue(all >= 45 && counts[0][0] + counts[1][1] >= 0.95 * all, part + ": " + counts[1][1]
                + " right accepted, " + counts[1][0] + " refused; " + counts[0][0] + " wrong refused, " + counts[0][1]
                + " accepted: " + wrong);
    }

    @Test
    void aReferenceWithANumberOffByOneIsNoAnswer() throws IOException {
        List<String> accepted = new ArrayList<>();
        int[] tried = new int[1];
        items().forEach((pair, item) -> NUMBER.matcher(item.expected()).results().filter(found -> !item.question()
                .contains(found.group())).forEach(found -> {
                    long number = Long.parseLong(found.group());
                    for (long other : List.of(number + 1, number + 10, number * 10 + 10)) {
                        String answer = item.expected().substring(0, found.start()) + other + item.expected().substring(
                                found.end());
                        tried[0]++;
                        if (item.isAnsweredBy(answer)) {
                            accepted.add(answer);
                        }
                    }
                }));

        assertTrue(tried[0] > 1000, Integer.toString(tried[0]));
        assertEquals(List.of(), accepted);
    }

    @Test
    void factsDecideWhereTheyCanBeDrawnAndWordsWhereNot() {
        EvaluationItem shift = EvaluationItem.reference("When does the early shift start?", "It starts at 6:00.");
        EvaluationItem summary = EvaluationItem.reference("Summarize.", "A long text. ".repeat(30));
        EvaluationItem code = EvaluationItem.reference("Write it.", "int f() { return 6; }");
        EvaluationItem named = EvaluationItem.fact("How much?", "1,300 EUR");

        assertEquals("contains", new AnswerScoring(List.of(shift, summary)).decidingMetric());
        assertEquals("token_f1", new AnswerScoring(List.of(shift, summary, code)).decidingMetric());
        assertEquals(Map.of("facts drawn from the reference", 1L, "the reference's words", 2L, "named facts", 1L),
                EvaluationItem.judgedBy(List.of(shift, summary, code, named)));
        assertEquals("It starts at 6:00.", shift.expected());
        assertFalse(named.isAnsweredBy("1300 euros"), "named facts are normalized only when asked to");
    }

    @Test
    void whatNeitherAffirmsNorDeniesDoesNotAnswerYes() {
        EvaluationItem item = EvaluationItem.reference("Is box 3 ready?", "yes");

        assertTrue(item.isAnsweredBy("Yes, it is."));
        assertFalse(item.isAnsweredBy("qxx lorem"));
        assertFalse(item.isAnsweredBy(""));
    }

    @Test
    void oneOfSeveralReferencesIsEnough() {
        EvaluationItem item = EvaluationItem.reference("When?", "At 6:00.", "At 7:00.");

        assertTrue(item.isAnsweredBy("7 am"));
        assertFalse(item.isAnsweredBy("8 am"));
    }

    @Test
    void anAnswerMustNotFitAnotherReferenceAsWell() {
        List<EvaluationItem> items = EvaluationItem.together(List.of(
                EvaluationItem.reference("Who approves leave?", "Leave is approved by the reporting manager."),
                EvaluationItem.reference("Who approves travel?", "Travel is approved by the department manager.")));

        assertTrue(items.get(0).isAnsweredBy("The reporting manager does."));
        assertFalse(items.get(0).isAnsweredBy("Your manager approves it."));
        assertFalse(items.get(0).isAnsweredBy("The department manager does."));
    }

    @Test
    void aShortQuestionIsJudgedByItsValueBesideAnyRow() {
        EvaluationItem lunch = EvaluationItem.reference("Lunch?", "Lunch costs \u20ac6.50 in the canteen.");
        EvaluationItem network = EvaluationItem.reference("Wi-Fi?", "The network is called Harbour.");
        List<EvaluationItem> beside = EvaluationItem.together(List.of(lunch, EvaluationItem.reference("Dinner?",
                "Dinner costs \u20ac9 in the canteen."), network));

        for (EvaluationItem item : List.of(lunch, beside.get(0))) {
            assertTrue(item.isAnsweredBy("\u20ac6.50"));
            assertTrue(item.isAnsweredBy("Lunch comes to 6.50 euros."));
            assertFalse(item.isAnsweredBy("\u20ac9"));
        }
        assertTrue(network.isAnsweredBy("Harbour") && beside.get(2).isAnsweredBy("Harbour"));
        assertFalse(network.isAnsweredBy("Guest"));
    }

    @Test
    void aNameCountsWhereItIsNotMovedToAnother() {
        EvaluationItem lab = EvaluationItem.reference("Who leads the lab?", "Dr. Helga Brandt leads the lab in Rome.");
        EvaluationItem shop = EvaluationItem.reference("Where is the shop?", "In building C.");

        assertTrue(lab.isAnsweredBy("Dr. Helga Brandt previously worked at a clinic and now leads the lab."));
        assertTrue(lab.isAnsweredBy("Otto Klein's successor, Dr. Brandt, leads the lab in Rome."));
        assertFalse(lab.isAnsweredBy("Dr. Helga Brandt's deputy leads the lab in Rome."));
        assertFalse(lab.isAnsweredBy("Dr. Helga Brandt led the lab until 2020."));
        assertTrue(shop.isAnsweredBy("C"));
        assertTrue(shop.isAnsweredBy("In building C, next to building D."));
        assertFalse(shop.isAnsweredBy("In building D and building C."));
    }

    @Test
    void anyTextCanBeRead() {
        Random random = new Random(7);
        EvaluationItem item = EvaluationItem.reference("When?", "At 6:00 \ue000 on 3 March.");
        for (int i = 0; i < 300; i++) {
            String text = random.ints(random.nextInt(400), 0, ALPHABET.length()).mapToObj(at -> ALPHABET.substring(at,
                    at + 1)).collect(Collectors.joining());
            assertFalse(item.isAnsweredBy(text), text);
            EvaluationItem.reference(text, text + "x").isAnsweredBy(text);
        }
        assertFalse(item.isAnsweredBy("1 000 ".repeat(20_000) + "a.".repeat(20_000)));
    }
}
