package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.CombinationType;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.WeightedCombination;
import io.peft4j.lora.WeightedCombination.MajoritySign;
import io.peft4j.methods.Ia3Combination;
import io.peft4j.methods.Ia3Config;
import io.peft4j.models.BaseModel;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weighted combinations give what Hugging Face PEFT's give, with the masks that it drew where values are dropped. */
class CombinationParityTest {
    static Stream<JsonNode> combinations() {
        return Fixtures.stream(Fixtures.json("combinations.json").get("combinations"));
    }

    @ParameterizedTest
    @MethodSource("combinations")
    void theCombinedAdapterMatches(JsonNode row) {
        Iterator<JsonNode> masks = row.get("masks").iterator();
        WeightedCombination combination = WeightedCombination.of(CombinationType.of(row.get("type").asText()))
                .mask((values, density) -> unpack(masks.next().asText(), values));
        for (int i = 0; i < row.get("adapters").size(); i++) {
            combination.adapter(row.get("adapters").get(i).asText(), row.get("weights").get(i).asDouble());
        }
        if (row.has("density")) {
            combination.density(row.get("density").asDouble());
        }
        if (row.has("svd_rank")) {
            combination.svdRank(row.get("svd_rank").asInt());
        }
        if (row.has("majority_sign_method")) {
            combination.majoritySign(MajoritySign.valueOf(
                    row.get("majority_sign_method").asText().toUpperCase(Locale.ROOT)));
        }
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = new PeftModel(base)) {
            row.get("adapters").forEach(name -> model.loadAdapter(name.asText(), Fixtures.adapter(name.asText())));
            combination.addTo(model, "new");
            assertFalse(masks.hasNext(), "masks are left over");
            LoraConfig config = (LoraConfig) model.adapter("new").config();
            assertEquals(row.get("r").asInt(), config.rank());
            assertEquals(config.rank(), config.alpha());
            model.activate("new");
            Measure.assertClose(Fixtures.doubles(row.get("nll")), Measure.oneByOne(model, Fixtures.texts("tiny-llama")),
                    row.get("type").asText());
        }
    }

    @Test
    void ofIa3TheVectorsAreAdded() {
        JsonNode row = Fixtures.json("methods/combination.json");
        Ia3Combination combination = new Ia3Combination();
        BaseModel base = KernelsUnderTest.sharedNaive("tiny-llama");
        try (PeftModel model = new PeftModel(base)) {
            for (int i = 0; i < row.get("adapters").size(); i++) {
                String name = row.get("adapters").get(i).asText();
                model.loadAdapter(name, Fixtures.method(name));
                combination.adapter(name, row.get("weights").get(i).asDouble());
            }
            combination.addTo(model, "new");
            Ia3Config config = (Ia3Config) model.adapter("new").config();
            assertEquals(texts(row.get("target_modules")), config.targetModules().names().orElseThrow());
            assertEquals(texts(row.get("feedforward_modules")), config.feedforwardModules().names().orElseThrow());
            model.activate("new");
            Measure.assertClose(Fixtures.doubles(row.get("nll_f64")),
                    Measure.oneByOne(model, Fixtures.texts("tiny-llama")), "IA3");
        }
    }

    private static List<String> texts(JsonNode array) {
        return Fixtures.stream(array).map(JsonNode::asText).toList();
    }

    private static boolean[] unpack(String mask, int values) {
        byte[] bits = Base64.getDecoder().decode(mask);
        boolean[] kept = new boolean[values];
        for (int i = 0; i < values; i++) {
            kept[i] = (bits[i / 8] >> i % 8 & 1) != 0;
        }
        return kept;
    }
}
