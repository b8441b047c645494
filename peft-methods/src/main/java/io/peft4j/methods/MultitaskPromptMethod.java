package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Multitask prompt tuning; {@link MultitaskPromptConfig} says what it computes. */
@Internal
public final class MultitaskPromptMethod extends ConfiguredMethod<MultitaskPromptConfig> {
    @Override
    protected Adapter adapter(MultitaskPromptConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrompt(config.virtualTokens(), setup);
        return PromptTuningMethod.prompt(setup.isRestoring() ? config
                : config.toBuilder().virtualTokens(tokens).build(), setup, tokens,
                new TaskPrompt(setup, tokens, config),
                batch -> batch.withVirtualTokens(tokens.count(),
                        task -> config.task(task).required() * tokens.count()));
    }

    /**
     * {@code P * (C R)}: {@value #KEY} P, {@code prefix_task_cols} [tasks, tokens, rank] and {@code prefix_task_rows}
     * [tasks, rank, H], of which C and R are those of the task.
     */
    private static final class TaskPrompt implements VirtualSource {
        private final int rank;
        private final int features;
        private final int tasks;
        private final int count;
        private final AdapterTensor shared;
        private final AdapterTensor columns;
        private final AdapterTensor rows;

        TaskPrompt(AdapterSetup setup, VirtualTokens tokens, MultitaskPromptConfig config) {
            this.rank = config.rank();
            this.tasks = config.tasks();
            this.count = tokens.count();
            this.features = tokens.tokenDim();
            this.shared = setup.sharedTensor(KEY, Initializer.normal(1), tokens.count(), features);
            this.columns = setup.sharedTensor("prefix_task_cols", Initializer.normal(0.02), tasks, tokens.count(),
                    rank);
            this.rows = setup.sharedTensor("prefix_task_rows", Initializer.normal(0.02), tasks, rank, features);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(shared, columns, rows);
        }

        /** The tokens of the batch's tasks, which lie behind each other; those of other tasks are not there. */
        @Override
        public Variable put(ForwardContext context, Variable y, int[] numbers) {
            Tape tape = context.tape();
            Variable result = y;
            for (int task : IntStream.of(numbers).filter(i -> i >= 0).map(i -> i / count).distinct().toArray()) {
                result = RowOps.replaceRows(tape, result, ofTask(tape, task), IntStream.of(numbers)
                        .map(i -> i >= 0 && i / count == task ? i % count : -1).toArray(), Set.of());
            }
            return result;
        }

        private Variable ofTask(Tape tape, int task) {
            return ElementwiseOps.multiply(tape, tape.parameter(shared.parameter()), MatrixOps.product(tape,
                    ofTask(tape, columns, rank, task), false, ofTask(tape, rows, features, task), false));
        }

        private Variable ofTask(Tape tape, AdapterTensor tensor, int columns, int task) {
            Variable all = SmallOps.matrix(tape, tape.parameter(tensor.parameter()), columns);
            int own = all.rows() / tasks;
            return tasks == 1 ? all : SmallOps.rows(tape, all, task * own, (task + 1) * own);
        }

        @Override
        public Variable columns(Tape tape, Optional<ForwardContext> context, int from, int to) {
            throw new IllegalStateException("they are of tasks");
        }
    }
}
