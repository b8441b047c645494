package io.peft4j.dl4j;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.init.LoraInit;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.conditions.Conditions;

/** LoRA, rank-stabilized LoRA and DoRA on networks of DeepLearning4J. */
final class LoraOnNetworks implements NetworkMethod<LoraConfig> {
    private static final List<LoraInit> STARTS = List.of(LoraInit.KAIMING, LoraInit.GAUSSIAN, LoraInit.RANDOM);

    @Override
    public Class<LoraConfig> config() {
        return LoraConfig.class;
    }

    @Override
    public void check(LoraConfig config, List<String> paths, boolean stored) {
        ranks(config).checkUse(stored, paths);
        alphas(config).checkUse(stored, paths);
        Checks.require(config.dropout() == 0, "lora_dropout is " + config.dropout() + "; on networks of "
                + "DeepLearning4J it must be 0: use the dropout of their layers, which works in training as before");
        Checks.require(STARTS.contains(config.initialization()), "init_lora_weights is "
                + config.initialization().json() + "; networks of DeepLearning4J begin with one of "
                + STARTS.stream().map(LoraInit::json).toList());
        refuse(config.loraBias(), "lora_bias", "networks of DeepLearning4J");
        refuse(config.kasa().isPresent(), "kasa_config", "networks of DeepLearning4J");
        refuse(config.blocks().isPresent(), "use_bdlora", "networks of DeepLearning4J");
        refuse(config.fanInFanOut(), "fan_in_fan_out", "networks of DeepLearning4J, which store weights in one way");
        refuse(!config.invocationTokens().isEmpty(), "alora_invocation_tokens", "language models");
        refuse(!config.layerReplication().isEmpty(), "layer_replication", "language models");
        refuse(!config.targetParameters().isEmpty(), "target_parameters", "language models; name the weight in "
                + "target_modules, for instance 'lstm.RW'");
        refuse(!config.trainableTokens().equals(TokenIndices.NONE),
                "trainable_token_indices", "language models");
        refuse(config.ensureWeightTying(), "ensure_weight_tying", "language models");
    }

    private static void refuse(boolean isSet, String key, String where) {
        Checks.require(!isSet, where.startsWith("networks") ? key + " does not work on " + where + "; leave it out"
                : key + " is for " + where + "; leave it out");
    }

    private static PathPatterns<Integer> ranks(LoraConfig config) {
        return new PathPatterns<>("rank_pattern", config.rankPattern());
    }

    private static PathPatterns<Double> alphas(LoraConfig config) {
        return new PathPatterns<>("alpha_pattern", config.alphaPattern());
    }

    @Override
    public WeightUpdate change(LoraConfig config, String path, Weight weight) {
        int rank = ranks(config).first(path).orElse(config.rank());
        double scaling = config.scaling(rank, alphas(config).first(path).orElse(config.alpha()));
        return config.dora() ? new DoraChange(weight, rank, scaling, config.initialization())
                : new LoraChange(weight, rank, scaling, config.initialization());
    }

    /**
     * DoRA: {@code W'_j = m_j V_j / |V_j|} for each output j, {@code V = W + s A^T B^T}, m [out], which begins at |V|.
     * Gradients, with {@code u = V / |V|}: {@code dm_j = u_j . dW'_j} and {@code dV_j = m_j / |V_j| (dW'_j - u_j
     * dm_j)}. They are those of the formula; Hugging Face PEFT takes |V| for a constant to save memory.
     */
    private static final class DoraChange extends LoraChange {
        private final Tensor magnitude;

        DoraChange(Weight weight, int rank, double scaling, LoraInit init) {
            super(weight, rank, scaling, init);
            this.magnitude = new Tensor("lora_magnitude_vector", "loraMagnitude", 0, weight.outputs(),
                    weight.kernel().isEmpty() ? new long[] {weight.outputs()}
                            : weight.fileShape(1, weight.outputs(), false));
        }

        @Override
        public List<Tensor> tensors() {
            return Stream.concat(super.tensors().stream(), Stream.of(magnitude)).toList();
        }

        /** In a new adapter V is what the layer would compute with as LoRA. */
        @Override
        public void begin(AdaptedWeight weight, RandomGenerator random) {
            super.begin(weight, random);
            WeightMatrix v = weight.kept().matrix();
            v.array().assign(weight.frozen().array());
            addTo(v, weight);
            weight.value(magnitude).assign(v.lengths());
        }

        @Override
        public void apply(AdaptedWeight weight) {
            super.apply(weight);
            INDArray lengths = weight.kept().outputs();
            lengths.assign(weight.changed().lengths());
            // Outputs of zeros have no direction: they stay zeros.
            BooleanIndexing.replaceWhere(lengths, 1, Conditions.equals(0));
            WeightMatrix u = weight.kept().matrix();
            weight.changed().timesOutputs(lengths.rdiv(1), u);
            u.timesOutputs(weight.value(magnitude), weight.changed());
        }

        @Override
        public void backward(AdaptedWeight weight) {
            WeightMatrix u = weight.kept().matrix();
            WeightMatrix gradient = weight.gradient();
            INDArray dm = weight.gradientOf(magnitude);
            dm.assign(u.sumOverInputs(gradient));
            WeightMatrix along = u.another();
            u.timesOutputs(dm, along);
            gradient.array().subi(along.array());
            gradient.scaleOutputs(weight.value(magnitude).div(weight.kept().outputs()));
            super.backward(weight);
        }
    }
}
