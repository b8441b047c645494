package io.peft4j.cli;

import io.peft4j.core.error.Count;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.lora.CombinationType;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.WeightedCombination;
import io.peft4j.lora.WeightedCombination.MajoritySign;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code peft4j adapter combine}: one adapter out of several. */
@Command(name = "combine", sortOptions = false, description = {"Combines LoRA adapters of one base model into one, as "
        + "Hugging Face PEFT's add_weighted_adapter does.",
    "For instance: --adapter support --weight 1 --adapter sales --weight 0.5 --type cat"})
final class AdapterCombineCommand extends PeftCommand {
    private static final String COMBINED = "combined";

    @Mixin
    private ExportModelOptions model;

    @ArgGroup(exclusive = false, multiplicity = "1..*")
    private List<Weighted> adapters;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "svd",
            description = "linear, cat, svd, ties, ties_svd, dare_linear, dare_ties, dare_linear_svd, dare_ties_svd, "
                    + "magnitude_prune or magnitude_prune_svd. Default: ${DEFAULT-VALUE}")
    private String type;

    @Option(names = "--density", paramLabel = "X", description = "Share of values to keep with ties, dare and "
            + "magnitude_prune.")
    private Double density;

    @Option(names = "--majority-sign", paramLabel = "total|frequency",
            description = "How ties chooses the sign: total or frequency. Default: total")
    private String majoritySign;

    @Option(names = "--svd-rank", paramLabel = "R",
            description = "Rank of the result with the svd types. Default: the largest of the adapters'")
    private Integer svdRank;

    @Mixin
    private SeedOption seed;

    @Option(names = "--output", required = true, paramLabel = "DIR", description = "The new adapter.")
    private Path output;

    @Mixin
    private ExistingOptions existing;

    @Mixin
    private JsonOption json;

    private static final class Weighted {
        @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "An adapter.")
        private Path folder;

        @Option(names = "--weight", paramLabel = "X", defaultValue = "1",
                description = "Its weight, which may be negative. Default: ${DEFAULT-VALUE}")
        private double weight;
    }

    @Override
    public Integer call() {
        Path folder = existing.choose(output);
        WeightedCombination combination = WeightedCombination.of(fromOptions(() -> CombinationType.of(type)))
                .seed(seed.value());
        if (majoritySign != null) {
            combination.majoritySign(majority());
        }
        if (density != null) {
            combination.density(density);
        }
        if (svdRank != null) {
            combination.svdRank(svdRank);
        }
        try (BaseModel base = model.load(this); PeftModel adapted = new PeftModel(base)) {
            for (int i = 0; i < adapters.size(); i++) {
                String name = "adapter-" + (i + 1);
                adapted.loadAdapter(name, adapters.get(i).folder);
                combination.adapter(name, adapters.get(i).weight);
            }
            combination.addTo(adapted, COMBINED);
            adapted.saveAdapter(COMBINED, folder);
            int rank = ((LoraConfig) adapted.adapter(COMBINED).config()).rank();
            if (json.isGiven()) {
                console().print(
                        CommandJson.MAPPER.createObjectNode().put("output", folder.toString()).put("rank", rank));
            } else {
                console().say("wrote %s: %s as one of rank %d", folder, Count.of(adapters.size(), "adapter"), rank);
            }
        }
        return 0;
    }

    private MajoritySign majority() {
        return List.of(MajoritySign.values()).stream()
                .filter(sign -> sign.name().toLowerCase(Locale.ROOT).equals(majoritySign)).findFirst()
                .orElseThrow(() -> usage("--majority-sign is '" + majoritySign + "'; it must be total or frequency"));
    }
}
