package io.peft4j.lora;

import io.peft4j.core.peft.PeftFilesContract;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.lora.init.LoraInit;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** X-LoRA keeps what every method promises. */
class XLoraContractTest extends PeftFilesContract {
    @TempDir
    private static Path folder;

    /** Two adapters, of which one is on some of the other's layers and on others. */
    private static Map<String, String> adapters() {
        Map<String, String> folders = Map.of("first", folder.resolve("a").toString(), "second",
                folder.resolve("b").toString());
        try (TinyModel base = new TinyModel(new TinyNetwork(1, false, false))) {
            LoraConfig lora = LoraConfig.builder().rank(2).initialization(LoraInit.RANDOM).build();
            save(base, lora.toBuilder().targetModules("q_proj", "up_proj").build(), "a");
            save(base, lora.toBuilder().rank(3).targetModules("q_proj", "down_proj").build(), "b");
        }
        return folders;
    }

    private static void save(TinyModel base, PeftConfig config, String name) {
        try (PeftModel model = PeftModel.of(base, config, new SplittableRandom(name.hashCode()))) {
            model.saveAdapter(folder.resolve(name));
        }
    }

    @Override
    protected List<Case> cases() {
        XLoraConfig xlora = XLoraConfig.builder().adapters(adapters()).build();
        int h = TinyNetwork.HIDDEN;
        return List.of(
                new Case("defaults", Base.PLAIN, xlora, false, false, (h + 1) * 2),
                new Case("layers, adapters in the first pass", Base.PLAIN, xlora.toBuilder().layerwise(true)
                        .firstScaling(0.4).temperature(0.5).weight(1.5).build(), false, false,
                        (h + 1) * 2 * 3 * TinyNetwork.LAYERS),
                new Case("one of the adapters", Base.PLAIN, xlora.toBuilder().softmax(false).chosen(1).build(), false,
                        false, (h + 1) * 2),
                new Case("softmax of the chosen", Base.PLAIN, xlora.toBuilder().softmax(false).softmaxOfChosen(true)
                        .build(), false, false, (h + 1) * 2));
    }

    @Override
    protected Optional<String> mixingObstacle(Case test) {
        return Optional.of("it runs a first pass of its own");
    }

    @Override
    protected Stream<PeftConfig> withDropout() {
        return Stream.of(XLoraConfig.builder().adapters(adapters()).depth(2).size(6).dropout(0.5).build());
    }
}
