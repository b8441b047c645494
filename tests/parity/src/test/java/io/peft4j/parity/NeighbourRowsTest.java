package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Rows of 1 to 700 tokens beside each other, in every family whose positions are not learned. Families with experts are
 * left out: of two experts that are nearly as good, rounding chooses one.
 */
@Tag("full")
class NeighbourRowsTest {
    private static final List<Integer> LENGTHS = List.of(1, 700, 2, 129, 33);
    private static final List<String> EXPERTS = List.of("num_experts", "num_local_experts", "n_routed_experts");
    private static final String POSITIONS = "max_position_embeddings";

    static List<String> families() {
        return FamiliesTest.families().stream().filter(name -> config(name).has(POSITIONS)
                && EXPERTS.stream().noneMatch(key -> config(name).path(key).asInt() > 0)).toList();
    }

    private static ObjectNode config(String name) {
        return (ObjectNode) Fixtures.json(fixture(name).resolve("config.json"));
    }

    private static Path fixture(String name) {
        return Fixtures.FOLDER.resolve("families").resolve(name);
    }

    @ParameterizedTest
    @MethodSource("families")
    void aRowsResultDoesNotDependOnItsNeighbours(String name, @TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), config(name).put(POSITIONS, 1024).toString());
        Files.copy(fixture(name).resolve("model.safetensors"), folder.resolve("model.safetensors"));
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), folder.resolve(file));
        }
        List<int[]> rows = LENGTHS.stream().map(length -> IntStream.range(0, length)
                .map(i -> 3 + (length * 31 + i * 17 % 101) % 300).toArray()).toList();
        try (BaseModel base = BaseModel.load(folder.toString(), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32)); PeftModel model = new PeftModel(base)) {
            List<TokenSequence> sequences = rows.stream().filter(row -> row.length > 1)
                    .map(TokenSequence::allSupervised).toList();
            Measure.assertClose(Measure.oneByOne(base, sequences), Measure.together(base,
                    base.network().pack(sequences)), name);
            assertAnswers(model, rows, name);
        }
    }

    /** The first token of an answer, by its likelihood, of a service that reads prompts in pieces. */
    private static void assertAnswers(PeftModel model, List<int[]> rows, String name) {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(1).withLogProbabilities(1);
        try (AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults().withRows(4)
                .withPromptChunk(61))) {
            List<PendingAnswer> pending = rows.stream().map(row -> service.submit(AnswerRequest.of(Prompt.tokens(row))
                    .withOptions(options))).toList();
            for (int i = 0; i < rows.size(); i++) {
                assertEquals(likelihood(model.generate(List.of(Prompt.tokens(rows.get(i))), options).get(0)),
                        likelihood(pending.get(i).completions().join().get(0)), 1e-4, name + ", row " + i);
            }
        }
    }

    private static double likelihood(Completion completion) {
        return completion.probabilities().get(0).logProbability();
    }
}
