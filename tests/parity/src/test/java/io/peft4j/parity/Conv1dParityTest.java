package io.peft4j.parity;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Methods that Hugging Face PEFT computes in another way where weights are stored [in, out], as GPT-2's are. */
class Conv1dParityTest {
    private static final Path FAMILY = Fixtures.FOLDER.resolve("families/gpt2");
    @TempDir
    private static Path folder;
    private static BaseModel base;

    @BeforeAll
    static void load() throws IOException {
        base = BaseModel.load(FamiliesTest.withTokenizer(FAMILY, folder.resolve("gpt2")).toString(),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
    }

    @AfterAll
    static void close() {
        base.close();
    }

    static Stream<String> methods() {
        return Fixtures.folders("conv1d").stream();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void likelihoodsOnGpt2(String name) {
        JsonNode expected = Fixtures.json("conv1d/" + name + "/expected.json");
        List<TokenSequence> texts = Fixtures.stream(Fixtures.json(FAMILY.resolve("expected.json")).get("texts"))
                .map(ids -> TokenSequence.allSupervised(Fixtures.ids(ids))).toList();
        try (PeftModel adapted = PeftModel.load(base, Fixtures.FOLDER.resolve("conv1d").resolve(name))) {
            Measure.assertClose(Fixtures.doubles(expected.get("nll")), Measure.oneByOne(adapted, texts), name);
        }
    }
}
