package io.peft4j.methods;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.TargetModules;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What combinations of IA3 adapters refuse; that others equal Hugging Face PEFT's is shown where its fixtures are. */
class Ia3CombinationTest {
    private static Ia3Config at(TargetModules targets, String... feedforward) {
        return Ia3Config.builder().targetModules(targets).feedforwardModules(feedforward).build();
    }

    @Test
    void incompatibleAdaptersAreNotCombined() {
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false)); PeftModel model = new PeftModel(base)) {
            model.addAdapter("a", at(TargetModules.of("q_proj", "down_proj"), "down_proj"));
            model.addAdapter("output", at(TargetModules.of("down_proj")));
            model.addAdapter("copy", at(TargetModules.of("q_proj")).toBuilder().modulesToSave("norm").build());
            model.addAdapter("norms", LnTuningConfig.builder().build());
            Map<String, Ia3Combination> wrong = Map.of(
                    "at least one adapter", new Ia3Combination(),
                    "one scales the input", new Ia3Combination().adapter("a", 1).adapter("output", 1),
                    "trained copy", new Ia3Combination().adapter("copy", 1),
                    "its method is LN_TUNING", new Ia3Combination().adapter("a", 1).adapter("norms", 1),
                    "unknown adapter 'b'", new Ia3Combination().adapter("b", 1));
            wrong.forEach((reason, combination) -> {
                String message = assertThrows(ConfigurationException.class, () -> combination.addTo(model, "new"))
                        .getMessage();
                assertTrue(message.contains(reason), message);
            });
            assertThrows(ConfigurationException.class, () -> new Ia3Combination().adapter("a", Double.NaN));
            assertEquals(List.of("a", "output", "copy", "norms"), model.adapterNames());
        }
    }

    @Test
    void nonListTargetsBecomePaths() {
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false)); PeftModel model = new PeftModel(base)) {
            model.addAdapter("a", at(TargetModules.regex(".*0.*(q|down)_proj"), "down_proj"));
            model.addAdapter("b", at(TargetModules.of("k_proj")).toBuilder()
                    .excludeModules("layers.0.self_attn.k_proj").build());
            new Ia3Combination().adapter("a", 1).adapter("b", 1).addTo(model, "new");
            Ia3Config config = (Ia3Config) model.adapter("new").config();
            assertEquals(List.of("model.layers.0.mlp.down_proj", "model.layers.0.self_attn.q_proj",
                    "model.layers.1.self_attn.k_proj"), config.targetModules().names().orElseThrow());
            assertEquals(List.of("model.layers.0.mlp.down_proj"), config.feedforwardModules().names().orElseThrow());
        }
    }
}
