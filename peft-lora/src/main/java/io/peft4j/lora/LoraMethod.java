package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.Adapter;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.PathPatterns;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.PeftMethod;
import io.peft4j.core.peft.TrainedCopies;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** LoRA, rank-stabilized LoRA included; {@link LoraConfig} says what it computes. */
public final class LoraMethod implements PeftMethod {
    private static final Logger LOG = LoggerFactory.getLogger(LoraMethod.class);

    /** For the {@link java.util.ServiceLoader}. */
    public LoraMethod() {
    }

    @Override
    public String peftType() {
        return LoraConfig.PEFT_TYPE;
    }

    @Override
    public String name() {
        return "lora";
    }

    @Override
    public String description() {
        return "two low-rank matrices beside the frozen weight of each target";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2106.09685";
    }

    @Override
    public Map<String, String> optionKeys() {
        return Map.of("rank", "r", "alpha", "lora_alpha", "dropout", "lora_dropout", "target-modules",
                "target_modules");
    }

    @Override
    public LoraConfig readConfig(ConfigReader reader) {
        return LoraConfigJson.read(reader);
    }

    @Override
    public Adapter create(PeftConfig peftConfig, AdapterSetup setup) {
        LoraConfig config = (LoraConfig) peftConfig;
        if (config.fanInFanOut() && !setup.isRestoring()) {
            throw new ConfigurationException("fan_in_fan_out is on, but no layer of this model stores its weight as "
                    + "[in, out]; leave it off");
        }
        List<String> defaults = setup.base().defaultTargetModules();
        List<Slot> targets = config.selector().select(setup, defaults, LoraMethod::canAdapt);
        PathPatterns<Integer> ranks = new PathPatterns<>("rank_pattern", config.rankPattern());
        PathPatterns<Double> alphas = new PathPatterns<>("alpha_pattern", config.alphaPattern());
        ranks.checkUse(setup, targets);
        alphas.checkUse(setup, targets);
        List<AdapterLayer> layers = new ArrayList<>();
        for (Slot target : targets) {
            int rank = ranks.first(target.path()).orElse(config.rank());
            double scaling = config.scaling(rank, alphas.first(target.path()).orElse(config.alpha()));
            layers.add(target.layer() instanceof Linear ? new LoraLayer(setup, target, config, rank, scaling)
                    : new LoraEmbedding(setup, target, config, rank, scaling));
        }
        layers.addAll(wholeLayers(config, setup, targets));
        warnIfTied(setup, layers);
        return Adapter.of(setup.isRestoring() ? config : config.toBuilder()
                .targetModules(config.selector().resolved(setup, defaults)).build(), layers);
    }

    private static boolean canAdapt(Layer layer) {
        return layer instanceof Linear || layer instanceof Embedding;
    }

    /** Trained copies and trained biases. */
    private static List<AdapterLayer> wholeLayers(LoraConfig config, AdapterSetup setup, List<Slot> targets) {
        List<AdapterLayer> layers = new ArrayList<>(TrainedCopies.matching(setup, config.modulesToSave()));
        Set<Slot> copied = new HashSet<>();
        layers.forEach(layer -> copied.add(layer.slot()));
        for (Slot slot : targets) {
            if (copied.contains(slot)) {
                throw new ConfigurationException(slot.path()
                        + " is both a target and in modules_to_save; name it in one");
            }
        }
        if (config.bias() == Bias.NONE) {
            return layers;
        }
        int biases = 0;
        for (Slot slot : setup.network().slots()) {
            boolean target = targets.contains(slot);
            if ((target || config.bias() == Bias.ALL) && !copied.contains(slot) && hasBias(slot.layer())) {
                layers.add(TrainedCopies.biasOf(setup, slot, target));
                biases++;
            }
        }
        if (biases == 0) {
            LOG.warn("bias is '{}', but the layers concerned have no biases", config.bias().json());
        }
        return layers;
    }

    private static boolean hasBias(Layer layer) {
        return layer instanceof Linear linear && linear.bias().isPresent();
    }

    /** PEFT's issue 2018 and many like it: people expect that a tied layer changes with its twin. */
    private static void warnIfTied(AdapterSetup setup, List<AdapterLayer> layers) {
        if (!setup.network().description().tiedEmbeddings() || setup.isRestoring()) {
            return;
        }
        Slot embedding = setup.network().embedding();
        Slot head = setup.network().head();
        boolean embeds = layers.stream().anyMatch(layer -> layer.slot() == embedding);
        boolean heads = layers.stream().anyMatch(layer -> layer.slot() == head);
        if (embeds || heads) {
            LOG.warn("{} and {} share one weight in the base model; this adapter changes {}, as in Hugging Face "
                    + "PEFT. A merged model has two weights", embedding.path(), head.path(), embeds && heads
                    ? "each in its own way" : "only " + (embeds ? embedding : head).path());
        }
    }
}
