package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraFa;
import io.peft4j.lora.LoraPlus;
import io.peft4j.lora.init.LoraInit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Rules that change updates by parameter: LoRA+ and LoRA-FA. */
class UpdateRuleTest {
    private static Map<String, float[]> values(Tiny tiny) {
        Map<String, float[]> values = new LinkedHashMap<>();
        tiny.model.trainableParameters().forEach(p -> values.put(p.name(), Arrays.toFloats(p.value())));
        return values;
    }

    private static Map<String, float[]> trained(Function<Tiny, UpdateRule> rule, int epochs) {
        try (Tiny tiny = new Tiny(0)) {
            tiny.trainer().epochs(epochs).learningRate(1e-3).schedule(LearningRateSchedule.CONSTANT)
                    .updateRule(rule.apply(tiny)).build().train(Tiny.examples(4, 1));
            return values(tiny);
        }
    }

    @Test
    void loraPlusMovesBByTheRatio() {
        Map<String, float[]> start;
        try (Tiny tiny = new Tiny(0)) {
            start = values(tiny);
        }
        Map<String, float[]> plain = trained(tiny -> UpdateRule.PLAIN, 1);
        Map<String, float[]> plus = trained(tiny -> new LoraPlus(16), 1);
        start.forEach((name, before) -> {
            if (name.contains("lora_A")) {
                assertArrayEquals(plain.get(name), plus.get(name), name);
                return;
            }
            for (int i = 0; i < before.length; i++) {
                // Values of about 0.2 have a rounding of 2e-8, which is contained 16 times in the expected move.
                assertEquals(16.0 * (plain.get(name)[i] - before[i]), plus.get(name)[i] - before[i], 1e-6, name);
            }
        });
        assertThrows(ConfigurationException.class, () -> new LoraPlus(0));
    }

    @Test
    void loraFaLeavesAAndTrainsB() {
        Map<String, float[]> start;
        try (Tiny tiny = new Tiny(0)) {
            start = values(tiny);
        }
        trained(tiny -> LoraFa.of(tiny.model), 2).forEach((name, after) -> {
            if (name.contains("lora_A")) {
                assertArrayEquals(start.get(name), after, name);
            } else {
                assertFalse(java.util.Arrays.equals(start.get(name), after), name);
            }
        });
    }

    /** MiCA keeps B, LoRA-FA keeps A. */
    @Test
    void loraFaRefusesAnAdapterWithNothingToTrain() {
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false));
                PeftModel model = PeftModel.of(base,
                        LoraConfig.builder().rank(2).initialization(LoraInit.MICA).targetModules("q_proj").build())) {
            String message = assertThrows(ConfigurationException.class, () -> LoraFa.of(model)).getMessage();
            assertTrue(message.contains("nothing would be trained"), message);
        }
    }

    /** The changed gradient times s^2 A A^T is the gradient again. */
    @Test
    void theGradientOfLoraFaUndoesTheScaleOfA() {
        try (Tiny tiny = new Tiny(0); TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            passes.training(PackedBatch.of(Tiny.examples(4, 1)), 0, pass -> pass.backward(1));
            List<Parameter> parameters = tiny.model.trainableParameters();
            List<float[]> before = parameters.stream().map(p -> Arrays.toFloats(p.gradient())).toList();
            LoraFa.of(tiny.model).beforeUpdate();
            for (int i = 0; i < parameters.size(); i += 2) {
                Parameter b = parameters.get(i + 1);
                float[] again = Arrays.toFloats(b.gradient().mmul(parameters.get(i).value())
                        .mmul(parameters.get(i).value().transpose()).mul(4).dup('c'));
                // s = alpha / r = 2. f32 through an inverse whose condition is below 100: 1e-5 of the largest.
                assertEquals(0, Tiny.distance(before.get(i + 1), again), 1e-5, b.name());
            }
        }
    }
}
