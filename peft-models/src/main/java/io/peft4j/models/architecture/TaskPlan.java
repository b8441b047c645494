package io.peft4j.models.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import java.util.Objects;
import java.util.Optional;

/**
 * What a network is built for.
 *
 * @param task the task, with the names of all labels
 * @param pooling for {@link Task.Type#FEATURE_EXTRACTION}, how hidden states become a vector
 * @param seed seed of the values of what the checkpoint lacks
 */
public record TaskPlan(Task task, SentencePooling pooling, long seed) {
    /** Refuses null. */
    public TaskPlan {
        Objects.requireNonNull(task, "task");
        Objects.requireNonNull(pooling, "pooling");
    }

    /** What a checkpoint says itself. */
    public static TaskPlan of(ModelConfig config, Task.Type otherwise) {
        return of(config, Optional.empty(), otherwise, 0, SentencePooling.MEAN);
    }

    /** Says in a configuration that a checkpoint is for a task with a head. */
    public static void write(Task task, ObjectNode config) {
        TaskReader.write(task, config);
    }

    /** Values of the head's last layer for each row. */
    public int outputs() {
        return task.type() == Task.Type.QUESTION_ANS ? 2 : task.labels().size();
    }

    /** The exception for a task that models of a type have no head for. */
    public ConfigurationException unsupported(String modelType, Object supported) {
        return new ConfigurationException("a model of type " + modelType + " cannot be loaded for " + task.type()
                + "; it can for " + supported);
    }

    /**
     * The task that a checkpoint is for, or the one that is asked for.
     *
     * @param asked the task that it is to be loaded for, where not its own; labels without names get the checkpoint's
     * @param otherwise what models of the architecture are for where {@code architectures} does not say
     */
    public static TaskPlan of(ModelConfig config, Optional<Task> asked, Task.Type otherwise, long seed,
            SentencePooling pooling) {
        Task stored = TaskReader.read(config, otherwise);
        Task task = asked.map(wanted -> TaskReader.withLabels(config, wanted)).orElse(stored);
        boolean unnamed = task.labels().equals(Task.unnamedLabels(task.labels().size()))
                && stored.type() == task.type() && stored.labels().size() == task.labels().size();
        return new TaskPlan(unnamed ? task.withLabels(stored.labels()) : task, pooling, seed);
    }
}
