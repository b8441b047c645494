package io.peft4j.advise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.advise.Advice.AnswerMethod;
import io.peft4j.advise.FineTuningAdvisor.Training;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ScriptedModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.Evaluation;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.train.plan.Prices;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data of which the right advice is known. Facts: the badge of person i has the colour "colour-i". */
class FineTuningAdvisorTest {
    private static final int PEOPLE = 40;

    @TempDir
    Path folder;

    private static String question(int i, String wording) {
        return wording + " person" + i + "?";
    }

    /** Several wordings of each question are trained on, another is held out. */
    private static ChatDataset examples() {
        return ChatDataset.of(IntStream.range(0, 2 * PEOPLE).mapToObj(i -> ChatExample.of(
                ChatMessage.user(question(i / 2, i % 2 == 0 ? "Which badge has" : "What badge belongs to")),
                ChatMessage.assistant("It has the colour-" + i / 2 + "."))).toList());
    }

    private static List<EvaluationItem> items() {
        return IntStream.range(0, PEOPLE).mapToObj(i -> EvaluationItem.fact(question(i, "Tell me the badge of"),
                "colour-" + i + ".")).toList();
    }

    /** Asked in words of which no training row has one: nothing is to be looked up. */
    private static List<EvaluationItem> unlike() {
        return IntStream.range(0, PEOPLE).mapToObj(i -> EvaluationItem.fact("Tell me whose it is, theperson" + i + "?",
                "colour-" + i + ".")).toList();
    }

    private static String asked(List<ChatMessage> messages) {
        return messages.get(messages.size() - 1).content();
    }

    private static String person(List<ChatMessage> messages) {
        return asked(messages).replaceAll(".*(person\\d+\\?).*", "$1");
    }

    /** Knows nothing, and does not read what precedes the question. */
    private static String ignorant(List<ChatMessage> messages) {
        return "I do not know.";
    }

    /** Says what its prompt says of the person who is asked about. */
    private static String reader(List<ChatMessage> messages) {
        List<String> lines = new ArrayList<>();
        messages.subList(0, messages.size() - 1).forEach(message -> message.content().lines().forEach(lines::add));
        for (int i = 0; i + 1 < lines.size(); i++) {
            if (lines.get(i).endsWith(" " + person(messages))) {
                return lines.get(i + 1);
            }
        }
        return "I do not know.";
    }

    /** After a training the model knows each person of its examples. */
    private static LanguageModel learned(ChatDataset examples) {
        return new ScriptedModel(messages -> examples.stream()
                .filter(example -> example.messages().get(0).content().endsWith(" " + person(messages)))
                .map(example -> example.messages().get(1).content()).findFirst().orElse("I do not know."));
    }

    private static FineTuningAdvisor advisor(Function<List<ChatMessage>, String> base,
            Function<ChatDataset, LanguageModel> training) {
        return FineTuningAdvisor.of(new ScriptedModel(base), (examples, limit) -> training.apply(examples))
                .heldOut(unlike());
    }

    @Test
    void whatOnlyTrainingTeachesIsFineTuned() {
        List<ScriptedModel> trained = new ArrayList<>();
        List<List<ChatExample>> taught = new ArrayList<>();
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, examples -> {
            ScriptedModel model = (ScriptedModel) learned(examples);
            taught.add(examples.examples());
            trained.add(model);
            return model;
        }).prices(new Prices(OptionalDouble.of(1), OptionalDouble.empty())).on(examples());
        assertEquals(Advice.Kind.FINE_TUNE, advice.kind(), advice.reasons().toString());
        assertEquals(List.of("base", "few-shot", "retrieved", "lookup", "trained on 20", "trained on 40",
                "trained on 80"),
                advice.ways().stream().map(AnswerMethod::name).toList());
        assertEquals(1, advice.ways().get(6).score());
        assertTrue(advice.ways().get(4).score() < advice.ways().get(5).score());
        assertTrue(trained.stream().allMatch(ScriptedModel::isClosed));
        assertTrue(taught.get(1).containsAll(taught.get(0)) && taught.get(2).containsAll(taught.get(1)),
                "smaller sets are parts of larger ones");
        JsonNode json = advice.toJson();
        assertEquals("fine-tune", json.get("advice").asText());
        assertTrue(json.get("ways").get(6).get("low").asDouble() > 0.9);
        assertTrue(json.get("ways").get(6).get("cost").asDouble() > 0);
        assertEquals("too few rows", json.get("gain_of_100_more").get("interval").asText());
        assertTrue(json.get("gain_of_100_more").get("low").isNull() && advice.reasons().stream()
                .noneMatch(reason -> reason.contains("more examples are likely")), advice.reasons().toString());
        assertTrue(json.get("reasons").get(0).asText()
                .startsWith("The training beats the most similar training row: 100 %"));
        assertTrue(advice.html().contains("What more examples are likely to bring"));
        assertTrue(advice.html().contains("<td data-label=\"cost\">"), "each figure has its name on a phone");
    }

    @Test
    void whatAPromptSolvesIsPrompted() {
        Advice advice = advisor(FineTuningAdvisorTest::reader, FineTuningAdvisorTest::learned)
                .heldOut(items()).on(examples());
        assertEquals(Advice.Kind.PROMPT, advice.kind(), advice.reasons().toString());
        assertEquals("prompt instead", advice.headline());
        assertEquals("prompt", advice.toJson().get("advice").asText());
        assertEquals(1, advice.ways().get(2).score(), "the training row is retrieved");
        assertEquals(Verdict.Decision.PROMPT_INSTEAD, advice.verdict().decision());
        assertEquals(advice.ways().get(1).score() == 1 ? "few-shot" : "retrieved", advice.verdict().arm());
    }

    @Test
    void whatTheMostSimilarRowAnswersIsLookedUp() {
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, FineTuningAdvisorTest::learned).heldOut(items())
                .on(examples());
        assertEquals(Advice.Kind.PROMPT, advice.kind(), advice.reasons().toString());
        assertEquals("look up instead", advice.headline());
        assertEquals(Verdict.LOOKUP, advice.verdict().arm());
        assertTrue(
                advice.reasons().get(0).startsWith("The most similar training row answers nearly everything already"),
                advice.reasons().toString());
        assertTrue(advice.reasons().contains("Evaluated, this is \"Look up instead\""), advice.reasons().toString());
    }

    @Test
    void whereTimeIsShortItIsSaidBeforeWhatIsAskedAndHowLongItTakes() {
        List<String> told = new ArrayList<>();
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, FineTuningAdvisorTest::learned)
                .timeBudget(Duration.ofNanos(1000)).listener(told::add).on(examples());
        assertTrue(told.get(0).matches("0 s are too short: 8 held-out items and the shortest trainings take about "
                + "\\d+ s"), told.toString());
        assertEquals("Asked 8 of 40 held-out items, evenly from the first to the last, for want of time", told.get(1));
        assertTrue(advice.reasons().containsAll(told.subList(0, 2)), advice.reasons().toString());
        assertEquals(8, advice.toJson().get("items_asked").asInt());
        assertEquals(40, advice.toJson().get("items").asInt());
        assertTrue(advice.html().contains("8 of 40 held-out items"));
        assertFalse(told.stream().anyMatch(text -> text.startsWith("trying a prompt")), "no time to choose one");
    }

    /** Answers for every second person, if a prompt tells. */
    private static String halfReader(List<ChatMessage> messages) {
        boolean known = Integer.parseInt(person(messages).replaceAll("\\D", "")) % 2 == 0;
        return known ? reader(messages) : "I do not know.";
    }

    private static Advice cutDownTo(double share, Function<ChatDataset, LanguageModel> trained) {
        return FineTuningAdvisor.of(new ScriptedModel(FineTuningAdvisorTest::halfReader), new Training() {
            @Override
            public LanguageModel train(ChatDataset examples, Optional<Duration> limit) {
                return trained.apply(examples);
            }

            @Override
            public double share(LanguageModel model) {
                return share;
            }
        }).heldOut(unlike()).on(examples());
    }

    @Test
    void trainingsThatWereCutDownCannotLose() {
        Function<ChatDataset, LanguageModel> poor = examples -> new ScriptedModel(FineTuningAdvisorTest::ignorant);
        Advice whole = cutDownTo(1, poor);
        assertEquals(Advice.Kind.PROMPT, whole.kind(), whole.reasons().toString());
        Advice cut = cutDownTo(0.1, poor);
        assertEquals(Advice.Kind.MORE_TIME, cut.kind(), cut.reasons().toString());
        assertTrue(cut.headline().startsWith("not known: give it about "), cut.headline());
        assertTrue(cut.reasons().get(0).startsWith("The largest training was cut down to 10 % for time"),
                cut.reasons().toString());
        assertEquals("more time", cut.toJson().get("advice").asText());
        assertFalse(cut.toJson().has("verdict") || String.join(" ", cut.reasons()).contains("ore items"),
                "no more items are asked for beside more time: " + cut.reasons());
        assertTrue(cut.toJson().has("more_seconds") && cut.curve().isEmpty());
        assertEquals(Advice.Kind.FINE_TUNE, cutDownTo(0.1, FineTuningAdvisorTest::learned).kind(), "but they may win");
    }

    @Test
    void adviceIsWhatAnEvaluationSays() {
        Advice advice = cutDownTo(1, FineTuningAdvisorTest::learned);
        Evaluation evaluation = Evaluation.of(unlike()).trainingData(examples());
        IntFunction<List<String>> answers = way -> IntStream.range(0, PEOPLE).mapToObj(
                i -> advice.ways().get(way).scores().get(i) == 1 ? "It has the colour-" + i + "." : "I do not know.")
                .toList();
        evaluation.answers(ArmAnswers.given("base", "", answers.apply(0)));
        evaluation
                .answers(ArmAnswers.given("few-shot", advice.ways().get(1).description(), answers.apply(1)).ofPrompt());
        evaluation.answers(
                ArmAnswers.given("retrieved", advice.ways().get(2).description(), answers.apply(2)).ofPrompt());
        Verdict verdict = evaluation.answers(ArmAnswers.given("trained on 80", "", answers.apply(6)))
                .compare(ComparisonOptions.defaults()).verdict();
        assertEquals(verdict, advice.verdict());
        assertEquals(Verdict.Decision.HARM_NOT_KNOWN, verdict.decision(), "no guard set is asked");
    }

    @Test
    void dataWithoutASignalAreNotTrainedOn() {
        Advice advice = advisor(FineTuningAdvisorTest::ignorant,
                examples -> new ScriptedModel(FineTuningAdvisorTest::ignorant)).on(examples());
        assertEquals(Advice.Kind.PROMPT, advice.kind(), advice.reasons().toString());
    }

    /** Learns a few of them, more with more examples. */
    @Test
    void aGainThatFewItemsCannotShowAsksForMore() {
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, examples -> new ScriptedModel(messages -> {
            int person = Integer.parseInt(person(messages).replaceAll("\\D", ""));
            return person < examples.size() / 26 ? "It is colour-" + person + "." : "I do not know.";
        })).on(examples());
        assertEquals(Advice.Kind.COLLECT_MORE, advice.kind(), advice.reasons().toString());
        assertEquals("collect more (about " + advice.more().getAsInt() + " training rows)", advice.headline());
        assertEquals("collect more", advice.toJson().get("advice").asText());
    }

    @Test
    void aGainThatIsSeenAsksForHeldOutItems() {
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, examples -> new ScriptedModel(messages -> {
            int person = Integer.parseInt(person(messages).replaceAll("\\D", ""));
            return person < 3 ? "It is colour-" + person + "." : "I do not know.";
        })).on(examples());
        int items = advice.verdict().itemsNeeded();
        assertEquals("collect more (about " + items + " held-out items)", advice.headline(), advice.reasons()
                .toString());
        assertTrue(items > 0 && advice.more().isEmpty(), advice.headline());
        assertTrue(advice.reasons().get(1).equals("About " + items + " more held-out items would make a gain of 5 "
                + "points certain"), advice.reasons().toString());
    }

    @Test
    void dataThatChangeBeforeATrainingEndsAreNotTrainedOn() {
        Advice advice = advisor(FineTuningAdvisorTest::ignorant, FineTuningAdvisorTest::learned)
                .changesEvery(Duration.ofNanos(1000)).on(examples());
        assertEquals(Advice.Kind.PROMPT, advice.kind());
        assertTrue(advice.reasons().get(0).startsWith("The data change too often"), advice.reasons().toString());
        Advice slow = advisor(FineTuningAdvisorTest::ignorant, FineTuningAdvisorTest::learned)
                .changesEvery(Duration.ofDays(7)).on(examples());
        assertEquals(Advice.Kind.FINE_TUNE, slow.kind());
        assertTrue(slow.reasons().stream().anyMatch(reason -> reason.startsWith("There is time to train again")));
    }

    @Test
    void promptsThatDoNotFitAreLeftOutAndNamed() {
        Advice advice = advisor(messages -> {
            if (messages.size() > 1) {
                throw new ConfigurationException("a prompt of 999 tokens; the model's limit is 256");
            }
            return "I do not know.";
        }, FineTuningAdvisorTest::learned).on(examples());
        assertEquals(5, advice.ways().size());
        assertTrue(advice.reasons().contains("Not tried: few-shot, since a prompt of 999 tokens; the model's limit is "
                + "256"), advice.reasons().toString());
    }

    @Test
    void aPartOfTheDataIsHeldOutWhereNoneIsGiven() {
        Advice advice = FineTuningAdvisor.of(new ScriptedModel(FineTuningAdvisorTest::ignorant),
                (examples, limit) -> learned(examples)).timeBudget(Duration.ofMinutes(1)).on(examples());
        assertTrue(advice.items() >= 8 && advice.items() <= 30, advice.items() + " items");
        assertEquals("contains", advice.metric());
        assertThrows(ConfigurationException.class, () -> FineTuningAdvisor.of(
                new ScriptedModel(FineTuningAdvisorTest::ignorant), (examples, limit) -> learned(examples))
                .on(ChatDataset.of(examples().examples().subList(0, 5))));
    }
}
