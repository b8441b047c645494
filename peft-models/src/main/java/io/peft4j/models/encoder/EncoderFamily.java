package io.peft4j.models.encoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A family of encoders: states what they are made of, and what their heads are. */
abstract class EncoderFamily implements Architecture {
    private static final Set<Task.Type> TASKS = EnumSet.of(Task.Type.SEQ_CLS, Task.Type.TOKEN_CLS,
            Task.Type.QUESTION_ANS, Task.Type.FEATURE_EXTRACTION, Task.Type.DECISION);

    private final String modelType;

    EncoderFamily(String modelType) {
        this.modelType = modelType;
    }

    /**
     * What the encoder that a configuration describes is made of.
     *
     * @throws FileFormatException when a value is missing, invalid or not supported
     */
    abstract EncoderPlan plan(ModelConfig config);

    /** The prefix of the names of the network's tensors in a checkpoint with a head, with a dot. */
    abstract String prefix();

    /** What some checkpoints call a tensor; usually what its place is called. */
    String checkpointName(String name) {
        return name;
    }

    /** The head of a task: classes of texts or tokens, or the ends of an answer. */
    abstract HeadPlan head(ModelConfig config, Task.Type task);

    /** The name of a pooler that the network without a head has though nothing reads it here. */
    Optional<String> pooler() {
        return Optional.empty();
    }

    @Override
    public final String modelType() {
        return modelType;
    }

    @Override
    public Task.Type defaultTask() {
        return Task.Type.FEATURE_EXTRACTION;
    }

    @Override
    public final Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task) {
        Task.Type type = task.task().type();
        if (!TASKS.contains(type)) {
            throw task.unsupported(modelType, TASKS);
        }
        boolean embeds = type == Task.Type.FEATURE_EXTRACTION;
        return new EncoderBuilder(plan(config), prefix(), this::checkpointName, weights, task).build(name, modelType,
                embeds || type == Task.Type.DECISION ? Optional.empty() : Optional.of(head(config, type)),
                embeds ? pooler() : Optional.empty());
    }

    static Activation activation(ModelConfig config, String key) {
        return activation(config, key, "gelu");
    }

    /** As the other, with what stands for it where it is not given. */
    static Activation activation(ModelConfig config, String key, String otherwise) {
        String name = config.text(key).orElse(otherwise);
        try {
            return Activation.of(name);
        } catch (io.peft4j.core.error.ConfigurationException e) {
            throw new FileFormatException(config.file(), key + ": " + e.getMessage(), e);
        }
    }

    /** The dropout before a classifier, which some configurations leave to the one everywhere else. */
    static float classifierDropout(ModelConfig config) {
        return config.probability("classifier_dropout", config.probability("hidden_dropout_prob", 0.1f));
    }

    /** The base of rotary frequencies without scaling. */
    static double theta(ModelConfig config, double otherwise) {
        return theta(config, config.object("rope_parameters").or(() -> config.object("rope_scaling")),
                config.number("rope_theta", otherwise));
    }

    /**
     * The base of rotary frequencies without scaling.
     *
     * @param rope their parameters
     * @param older the base where these have none
     */
    static double theta(ModelConfig config, Optional<ModelConfig> rope, double older) {
        String kind = rope.flatMap(parameters -> parameters.text("rope_type")).orElse("default");
        if (!kind.equals("default")) {
            throw config.unsupported("rope_parameters", kind, "default");
        }
        double theta = rope.map(parameters -> parameters.number("rope_theta", older)).orElse(older);
        if (!(theta > 0)) {
            throw new FileFormatException(config.file(), "rope_theta is " + theta + "; it must be above 0");
        }
        return theta;
    }

    /** Heads of equal size. */
    static int heads(ModelConfig config, String key, int hidden) {
        int heads = config.positive(key);
        if (hidden % heads != 0) {
            throw new FileFormatException(config.file(), key + " " + heads + " must divide the hidden size " + hidden);
        }
        return heads;
    }

    static OptionalInt paddingId(ModelConfig config, int otherwise, int vocabulary) {
        int id = config.optionalInteger("pad_token_id").orElse(otherwise);
        return id >= 0 && id < vocabulary ? OptionalInt.of(id) : OptionalInt.empty();
    }

    /** Places of the tokens' class, where only one linear layer precedes the result. */
    static HeadPlan plain(HeadPlan.Rows rows, String output, float dropout, ModelConfig config) {
        return new HeadPlan(rows, List.of(), output, dropout, config.number("initializer_range", 0.02));
    }
}
