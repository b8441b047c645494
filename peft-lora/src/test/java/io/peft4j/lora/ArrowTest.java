package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.GradientCheck;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.lora.init.LoraInit;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Arrow's files and refusals; that it computes what Hugging Face PEFT does is shown where its fixtures are. */
class ArrowTest {
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});
    private final TinyModel base = new TinyModel(new TinyNetwork(1, false, false));
    private PeftModel model;
    @TempDir
    private Path folder;

    @BeforeEach
    void saveAdapters() {
        model = new PeftModel(base);
        add("a", 2, "q_proj", "down_proj");
        add("b", 2, "q_proj", "down_proj");
        add("c", 3, "q_proj", "down_proj");
        add("d", 2, "q_proj");
        add("e", 2, "embed_tokens");
    }

    private void add(String name, int rank, String... targets) {
        model.addAdapter(name, LoraConfig.builder().rank(rank).alpha(5).initialization(LoraInit.RANDOM)
                .targetModules(targets).build(), new SplittableRandom(name.hashCode()));
        model.saveAdapter(name, folder.resolve(name));
    }

    @AfterEach
    void close() {
        model.close();
        base.close();
    }

    private LoraConfig arrow(int chosen, String... adapters) {
        return LoraConfig.builder().arrow(Arrow.of(chosen, folders(adapters))).build();
    }

    private List<String> folders(String... adapters) {
        return List.of(adapters).stream().map(name -> folder.resolve(name).toString()).toList();
    }

    private float[] logits(String... adapters) {
        return Passes.logits(model.with(adapters), SEQUENCES);
    }

    @Test
    void isSavedWithItsAdapters() {
        Arrow general = new Arrow(1, 0.5, true, folders("a", "b"), folders("b"), OptionalInt.of(3));
        model.addAdapter("arrow", LoraConfig.builder().arrow(general).build());
        model.saveAdapter("arrow", folder.resolve("saved"));
        model.loadAdapter("again", folder.resolve("saved"));
        assertArrayEquals(logits("arrow"), logits("again"));
        Arrow saved = ((LoraConfig) model.adapter("again").config()).arrow().orElseThrow();
        assertEquals(List.of("task_0", "task_1", "gks_0"), saved.all());
        assertTrue(model.adapter("again").config().parts().contains("../task_0"));
    }

    /** The shares of a token add up to 1. */
    @Test
    void twoEqualAdaptersAreThatAdapter() {
        model.addAdapter("arrow", arrow(2, "a", "a"));
        float[] one = logits("a");
        float[] two = logits("arrow");
        for (int i = 0; i < one.length; i++) {
            assertEquals(one[i], two[i], 1e-5 * Math.max(1, Math.abs(one[i])));
        }
    }

    /** It trains nothing itself; what is trained below it learns of its similarities, too. */
    @Test
    void gradientsGoThroughIt() {
        model.addAdapter("arrow", arrow(2, "a", "b"));
        model.activate("arrow");
        assertEquals(List.of(), model.trainableParameters());
        model.activate("e", "arrow");
        float[] weights = new float[logits("e", "arrow").length];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) Math.sin(i);
        }
        Passes.backward(model, SEQUENCES, weights, 0);
        for (Parameter parameter : model.trainableParameters()) {
            GradientCheck.check(parameter.name(), parameter.value(), Arrays.toFloats(parameter.gradient()), () -> {
                double sum = 0;
                float[] values = Passes.logits(model, SEQUENCES);
                for (int i = 0; i < values.length; i++) {
                    sum += (double) weights[i] * values[i];
                }
                return sum;
            }, 1e-2);
        }
    }

    private void assertRefused(String reason, LoraConfig config) {
        String message = assertThrows(ConfigurationException.class, () -> model.addAdapter("new", config))
                .getMessage();
        assertTrue(message.contains(reason), message);
    }

    @Test
    void whatItCannotMixIsRefused() {
        assertRefused("differs from", arrow(1, "a", "c"));
        assertRefused("differs from", arrow(1, "a", "d"));
        assertRefused("something else at model.embed_tokens", arrow(1, "e"));
        assertRefused("which is no folder", arrow(1, "nowhere"));
        assertThrows(ConfigurationException.class, () -> arrow(3, "a", "b"));
        assertThrows(ConfigurationException.class, () -> arrow(2, "a", "b").toBuilder().dora(true).build());
        model.addAdapter("arrow", arrow(2, "a", "b"));
        model.saveAdapter("arrow", folder.resolve("arrow"));
        assertRefused("cannot be a part of one", arrow(1, "arrow"));
        model.activate("arrow");
        String message = assertThrows(ConfigurationException.class, model::merge).getMessage();
        assertTrue(message.contains("separately for each token"), message);
    }
}
