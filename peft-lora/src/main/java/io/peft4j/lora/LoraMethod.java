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
import io.peft4j.core.peft.TrainedTokens;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** LoRA, rank-stabilized LoRA and DoRA included; {@link LoraConfig} says what it computes. */
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
        LoraConfig config = LayerRange.described((LoraConfig) peftConfig, setup);
        if (config.fanInFanOut() && !setup.isRestoring()) {
            throw new ConfigurationException("fan_in_fan_out is on, but no layer of this model stores its weight as "
                    + "[in, out]; leave it off");
        }
        if (setup.isRestoring() && config.initialization().isApproximate()) {
            throw new ConfigurationException("init_lora_weights is " + config.initialization() + ": the base that the "
                    + "adapter belongs to was made from data or by random iterations and cannot be made again. "
                    + "Convert it to plain LoRA in Hugging Face PEFT, with path_initial_model_for_weight_conversion "
                    + "when saving");
        }
        List<Integer> order = LayerRange.layers(config.layerReplication());
        if (!order.isEmpty() && !order.equals(setup.base().layerOrder())) {
            throw new ConfigurationException("layer_replication asks for the layers " + order + ", and the model has "
                    + setup.base().layerOrder() + ": begin a model with this adapter, then others can be added");
        }
        List<String> defaults = setup.base().defaultTargetModules();
        List<Slot> targets = config.selector().select(setup, defaults, LoraMethod::canAdapt);
        PathPatterns<Integer> ranks = new PathPatterns<>("rank_pattern", config.rankPattern());
        PathPatterns<Double> alphas = new PathPatterns<>("alpha_pattern", config.alphaPattern());
        ranks.checkUse(setup, targets);
        alphas.checkUse(setup, targets);
        List<LoraTarget> asked = targets.stream().map(slot -> LoraTarget.of(slot,
                ranks.first(slot.path()).orElse(config.rank()),
                alphas.first(slot.path()).orElse(config.alpha()))).toList();
        List<LoraTarget> begun = begin(setup, config, asked);
        List<AdapterLayer> layers = new ArrayList<>();
        begun.forEach(target -> layers.add(layer(setup, target, config)));
        boolean tying = config.ensureWeightTying() && canTie(setup, targets);
        layers.addAll(tying ? TrainedCopies.besideTied(setup, targets, config.modulesToSave(), config.bias())
                : TrainedCopies.beside(setup, targets, config.modulesToSave(), config.bias()));
        connectBiases(layers);
        if (!tying) {
            warnIfTied(setup, layers);
        }
        layers.addAll(TrainedTokens.beside(setup, config.trainableTokens(), layers, tying));
        return new LoraAdapter(setup.isRestoring() ? config : LoraTarget.describe(config.toBuilder()
                .targetModules(config.selector().resolved(setup, defaults)).build(), asked, begun), layers);
    }

    /** The targets with their first values, where these belong together and are not all in the file. */
    private static List<LoraTarget> begin(AdapterSetup setup, LoraConfig config, List<LoraTarget> targets) {
        Initialization start = config.initialization();
        targets.stream().filter(target -> start.needsLinear() && !target.isLinear()).findFirst()
                .ifPresent(target -> {
            throw new ConfigurationException("init_lora_weights " + start + " works on linear layers, and "
                    + target.slot().path() + " is an embedding");
        });
        return start.beginning().filter(beginning -> !setup.isRestoring() || start.takesFromBase())
                .map(beginning -> beginning.begin(setup, config, targets)).orElse(targets);
    }

    private static AdapterLayer layer(AdapterSetup setup, LoraTarget target, LoraConfig config) {
        Slot slot = target.slot();
        int rank = target.rank();
        double scaling = config.scaling(rank, target.alpha());
        Optional<LoraStart> start = target.start().map(Supplier::get);
        if (!config.invocationTokens().isEmpty()) {
            requireActivated(setup, slot);
            return new ActivatedLoraLayer(new LoraLayer(setup, slot, config, rank, scaling, start));
        }
        if (slot.layer() instanceof Embedding) {
            return new LoraEmbedding(setup, slot, config, rank, scaling);
        }
        return config.dora() ? new DoraLayer(setup, slot, config, rank, scaling, start)
                : new LoraLayer(setup, slot, config, rank, scaling, start);
    }

    private static void requireActivated(AdapterSetup setup, Slot slot) {
        if (slot.layer() instanceof Embedding || slot == setup.network().head()) {
            throw new ConfigurationException("alora_invocation_tokens do not work on " + slot.path() + ": only linear "
                    + "layers below the output layer can wait for an invocation; take it out of the targets");
        }
    }

    private static boolean canAdapt(Layer layer) {
        return layer instanceof Linear || layer instanceof Embedding;
    }

    private static void connectBiases(List<AdapterLayer> layers) {
        for (AdapterLayer layer : layers) {
            if (layer instanceof DoraLayer dora) {
                layers.stream().filter(other -> other.slot() == layer.slot() && other.replacesBase())
                        .forEach(other -> dora.useBias(other.tensors().get(0)));
            }
        }
    }

    /** Whether embedding and output layer have one matrix, so that there is something to tie. */
    private static boolean canTie(AdapterSetup setup, List<Slot> targets) {
        if (!setup.network().description().tiedEmbeddings()) {
            LOG.warn("ensure_weight_tying has no effect: embedding and output layer have a matrix each");
            return false;
        }
        Stream.of(setup.network().embedding(), setup.network().head()).filter(targets::contains).findFirst()
                .ifPresent(slot -> {
            throw new ConfigurationException("ensure_weight_tying cannot tie low-rank changes in this version, and "
                    + slot.path() + " is a target; name it in modules_to_save, or leave ensure_weight_tying off");
        });
        return true;
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
