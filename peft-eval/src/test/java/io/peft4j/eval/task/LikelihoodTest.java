package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Likelihoods of a (tiny) model are Hugging Face's, and what is made of them. */
class LikelihoodTest {
    private static final Path FIXTURES = Path.of("../tests/fixtures");
    /** Both sides compute in f32: sums of some hundred values, as the fixtures' own f32 error is 3e-6. */
    private static final double RELATIVE = 1e-5;

    private static BaseModel model;
    private static JsonNode expected;

    @BeforeAll
    static void load() throws IOException {
        model = BaseModel.load(FIXTURES.resolve("tiny-llama").toString());
        expected = new ObjectMapper().readTree(FIXTURES.resolve("tiny-llama/expected.json").toFile());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void modelsAreIdentifiedByTheirOutput() {
        String fingerprint = AnswerCache.ModelFingerprint.of(model);
        try (BaseModel same = BaseModel.load(FIXTURES.resolve("tiny-llama").toAbsolutePath().toString());
                BaseModel other = BaseModel.load(FIXTURES.resolve("tiny-llama-bf16").toString())) {
            assertEquals(fingerprint, AnswerCache.ModelFingerprint.of(same));
            assertNotEquals(fingerprint, AnswerCache.ModelFingerprint.of(other), "weights that were rounded");
        }
        assertTrue(fingerprint.matches("[0-9a-f]{64}"), fingerprint);
    }

    @Test
    void probabilitiesOfChoicesAreKept(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("answers.jsonl");
        List<Answerer.Choices> questions = List.of(new Answerer.Choices("Who?", List.of("me", "you")),
                new Answerer.Choices("When?", List.of("now", "never", "soon")));
        Supplier<List<double[]>> asked = () -> Answerer.of(model).cachedIn(file).probabilities(questions);
        List<double[]> first = asked.get();
        assertEquals(1, DoubleStream.of(first.get(1)).sum(), 1e-9);
        List<String> lines = Files.readAllLines(file);
        assertEquals(2, lines.size());
        assertArrayEquals(first.get(1), asked.get().get(1));
        assertEquals(lines, Files.readAllLines(file), "nothing was asked again");
        Files.write(file, List.of(lines.get(0).replaceAll("\"text\":\"[^\"]*", "\"text\":\"0.25 0.75")));
        assertArrayEquals(new double[] {0.25, 0.75}, asked.get().get(0), "what the file says");
        assertArrayEquals(first.get(1), asked.get().get(1), RELATIVE, "asked again");
    }

    @Test
    void overlongExamplesAreLeftOutOrReported() {
        String text = "word ".repeat(400);
        ChatExample brief = ChatExample.of(ChatMessage.user("Who?"), ChatMessage.assistant("Nobody."));
        ChatExample tooLong = ChatExample.of(ChatMessage.user("Who?"), ChatMessage.assistant(text));
        Perplexity alone = Perplexity.of(model, ChatDataset.of(List.of(brief)));
        assertEquals(alone, Perplexity.ofFitting(model, ChatDataset.of(List.of(brief, tooLong))).orElseThrow());
        assertTrue(Perplexity.ofFitting(model, ChatDataset.of(List.of(tooLong))).isEmpty());
        assertThrows(ConfigurationException.class, () -> Perplexity.of(model, ChatDataset.of(List.of(tooLong))));
        assertThrows(ConfigurationException.class, () -> MultipleChoice.of(model).on(List.of(
                new MultipleChoice.Question(Prompt.text("Who?"), List.of("a", text), 0))));
    }

    @Test
    void likelihoodsMatchHuggingFace() {
        List<TokenSequence> sequences = new ArrayList<>();
        List<Double> nll = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
            for (JsonNode text : expected.get("texts")) {
                JsonNode ids = text.get("input_ids");
                sequences.add(TokenSequence.allSupervised(
                        IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray()));
                nll.add(text.get("nll").asDouble());
            }
        }
        double[] sums = SequenceScorer.negativeLogLikelihoods(model, sequences);
        for (int i = 0; i < sums.length; i++) {
            assertEquals(nll.get(i), sums[i], RELATIVE * nll.get(i), "sequence " + i);
        }
    }

    @Test
    void perplexityMatchesHuggingFace() {
        for (JsonNode chat : expected.get("chats")) {
            List<ChatMessage> messages = new ArrayList<>();
            chat.get("messages").forEach(m -> messages.add(new ChatMessage(m.get("role").asText(),
                    m.get("content").asText())));
            Perplexity perplexity = Perplexity.of(model,
                    ChatDataset.of(List.of(ChatExample.of(messages.toArray(ChatMessage[]::new)))));
            double nll = chat.get("nll").asDouble();
            assertEquals(nll, perplexity.perExample(), RELATIVE * nll);
            double perToken = Math.exp(nll / chat.get("supervised").size());
            // The exponential multiplies the relative error by the loss of a token, about 9.
            assertEquals(perToken, perplexity.perToken(), 10 * RELATIVE * perToken);
            long bytes = messages.stream().filter(m -> m.role().equals("assistant"))
                    .mapToLong(m -> m.content().getBytes(StandardCharsets.UTF_8).length).sum();
            assertEquals(Math.exp(nll / bytes), perplexity.perByte(), 1e-3 * Math.exp(nll / bytes));
        }
    }

    @Test
    void theLikeliestChoiceIsTaken() {
        // What the model says greedily is likelier than the same with its words turned round.
        String prompt = "What is the notice period?";
        String said = model.generate(prompt);
        String turned = new StringBuilder(said).reverse().toString();
        MultipleChoice.Question first = new MultipleChoice.Question(Prompt.chat(List.of(ChatMessage.user(prompt))),
                List.of(said, turned), 0);
        MultipleChoice.Question second = new MultipleChoice.Question(first.prompt(), List.of(turned, said), 0);
        MultipleChoice.Result result = MultipleChoice.of(model).on(List.of(first, second));
        assertEquals(0.5, result.accuracy());
        assertEquals(0.5, result.normalizedAccuracy());
        assertEquals(result.outcomes().get(0).logLikelihoods()[0], result.outcomes().get(1).logLikelihoods()[1],
                RELATIVE * 1000);
        assertTrue(result.calibrationError() >= 0);
        assertThrows(ConfigurationException.class, () -> MultipleChoice.of(model).on(List.of()));
        assertThrows(ConfigurationException.class,
                () -> new MultipleChoice.Question(first.prompt(), List.of("one"), 0));
    }
}
