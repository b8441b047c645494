package io.peft4j.cli;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.Arm;
import io.peft4j.eval.Comparison;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Who else is asked beside base and tuned. */
@HelpGroup("What is compared")
final class ArmOptions {
    @Option(names = "--few-shot", paramLabel = "K", description = "Also asks the base model with the K most similar "
            + "training "
            + "examples in its prompt.")
    private Integer fewShot;

    @Option(names = "--system-prompt", paramLabel = "TEXT", description = "Also asks the base model with this "
            + "system prompt.")
    private String systemPrompt;

    @Option(names = "--arm", paramLabel = "NAME=DIR", description = "Also asks another adapter, or a checkpoint of "
            + "this one. May be given several times.")
    private Map<String, Path> adapters = new LinkedHashMap<>();

    @Option(names = "--trained-on", paramLabel = "N=DIR", description = "An adapter trained in the same way on N "
            + "examples. With two or more, a learning curve estimates the gain from 100 more examples.")
    private Map<Integer, Path> sizes = new LinkedHashMap<>();

    @Option(names = "--other-seed", paramLabel = "DIR", description = "An adapter trained in the same way with "
            + "another seed. The report shows the spread over seeds.")
    private List<Path> seeds = List.of();

    @Option(names = "--draws", paramLabel = "K", description = "Also samples K answers to each question, to see "
            + "whether they agree.")
    private Integer draws;

    @Option(names = "--draw-temperature", paramLabel = "T", defaultValue = "0.7",
            description = "Temperature of these samples. Default: ${DEFAULT-VALUE}")
    private double temperature;

    /** Whether any of them was asked for. */
    boolean isUsed() {
        return fewShot != null || systemPrompt != null || draws != null || !adapters.isEmpty() || !sizes.isEmpty()
                || !seeds.isEmpty();
    }

    /** Whether one of them looks into the training data. */
    boolean needsTrainingData() {
        return fewShot != null || !sizes.isEmpty();
    }

    Models open(BaseModel base) {
        Models models = new Models(base);
        try {
            adapters.forEach((name, folder) -> models.add(models.arms, name, folder));
            sizes.forEach((size, folder) -> models.add(models.bySize, size, folder));
            seeds.forEach(folder -> models.add(models.bySeed, folder.toString(), folder));
            return models;
        } catch (RuntimeException e) {
            models.close();
            throw e;
        }
    }

    /** Open adapters. */
    final class Models implements AutoCloseable {
        private final BaseModel base;
        private final Map<String, PeftModel> arms = new LinkedHashMap<>();
        private final Map<Integer, PeftModel> bySize = new LinkedHashMap<>();
        private final Map<String, PeftModel> bySeed = new LinkedHashMap<>();

        private Models(BaseModel base) {
            this.base = base;
        }

        private <K> void add(Map<K, PeftModel> models, K key, Path folder) {
            models.put(key, base.withAdapter(folder));
        }

        Comparison addTo(Comparison comparison, Optional<ChatDataset> training) {
            if (fewShot != null) {
                comparison.arm(Arm.fewShot(base, training.orElseThrow(), fewShot));
            }
            if (systemPrompt != null) {
                comparison.arm(Arm.systemPrompt(base, systemPrompt));
            }
            arms.forEach((name, model) -> comparison.arm(Arm.plain(name, "the adapter " + adapters.get(name), model)));
            bySize.forEach(comparison::trainedOn);
            bySeed.forEach(comparison::otherSeed);
            return draws == null ? comparison : comparison.draws(draws, temperature);
        }

        @Override
        public void close() {
            List.of(arms, bySize, bySeed).forEach(models -> models.values().forEach(PeftModel::close));
        }
    }
}
