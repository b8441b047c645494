package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The tiny models against the numbers that Hugging Face computed with them. */
@Tag("processor")
@ParameterizedClass
@MethodSource("io.peft4j.parity.KernelsUnderTest#all")
class BaseModelParityTest {
    @Parameter
    KernelsUnderTest kernels;

    @ParameterizedTest
    @FieldSource("io.peft4j.parity.Fixtures#MODELS")
    void likelihoodsOfTextsAndChats(String name) {
        JsonNode expected = Fixtures.json(name + "/expected.json");
        try (BaseModel model = kernels.load(name)) {
            assertEquals(expected.get("parameters").asLong(), model.network().description().parameters());
            Measure.assertClose(nll(expected.get("texts")), Measure.oneByOne(model, Fixtures.texts(name)), "texts");
            Measure.assertClose(nll(expected.get("chats")), Measure.oneByOne(model, Fixtures.chats(name)), "chats");
        }
    }

    /** Sequences in one batch, with shared beginnings computed once or not, are what they are alone. */
    @ParameterizedTest
    @FieldSource("io.peft4j.parity.Fixtures#MODELS")
    void aPackedBatchEqualsOneByOne(String name) {
        JsonNode expected = Fixtures.json(name + "/expected.json");
        List<TokenSequence> all = new ArrayList<>(Fixtures.texts(name));
        all.addAll(Fixtures.chats(name));
        double[] each = Stream.of("texts", "chats").flatMapToDouble(rows -> Arrays.stream(nll(expected.get(rows))))
                .toArray();
        try (BaseModel model = kernels.load(name)) {
            Measure.assertClose(each, Measure.together(model, PackedBatch.of(all)), "packed");
            PackedBatch shared = PackedBatch.sharingPrefixes(all);
            assertTrue(shared.rows() < PackedBatch.of(all).rows(), "the chats begin alike");
            Measure.assertClose(each, Measure.together(model, shared), "with shared prefixes");
            double total = Arrays.stream(Measure.together(model, PackedBatch.of(Fixtures.texts(name)))).sum();
            double theirs = expected.get("nll_total_f64").asDouble();
            assertEquals(theirs, total, Measure.NLL * theirs);
        }
    }

    @ParameterizedTest
    @FieldSource("io.peft4j.parity.Fixtures#MODELS")
    void logits(String name) {
        try (BaseModel model = kernels.load(name)) {
            Measure.assertLogits(model, Fixtures.texts(name), Fixtures.json(name + "/expected.json").get("logits"));
        }
    }

    private static double[] nll(JsonNode rows) {
        return Fixtures.stream(rows).mapToDouble(row -> row.get("nll_f64").asDouble()).toArray();
    }
}
