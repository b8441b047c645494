package io.peft4j.train.objective;

import io.peft4j.core.engine.Priority;
import io.peft4j.core.engine.Workspace;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Pass;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.Sampling;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.AnswerFault;
import io.peft4j.data.grader.Grade;
import io.peft4j.data.grader.Grading;
import io.peft4j.data.task.AnswerGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reinforcement on answers that the model gives itself: for each batch it answers every prompt several times, a grader
 * says how good the answers are, and a {@link GroupObjective} learns from them. Draws follow from the seed of the
 * training, so that one that is resumed goes on as if it had never stopped.
 *
 * <pre>{@code
 * Grader grader = (item, answer) -> answer.strip().equals(item.get("answer")) ? 1 : 0;
 * Trainer.builder(model).build().train(new SampledObjective(new GroupObjective(model, GroupOptions.grpo()),
 *         Grading.by(grader), SamplingOptions.defaults(), Optional.empty()), prompts);
 * }</pre>
 *
 * <p>The grader sees all keys of a prompt's row. An answer that it cannot grade is named in a warning and not learned;
 * three batches in which it grades nothing end the training.
 *
 * <p>The loss on validation prompts is the mean reward of greedy answers, times -1. Measured besides what
 * {@link GroupObjective} measures: {@code rewards/NAME} for each part of a grade, {@code entropy} (its estimate from
 * the answers: the mean of {@code -log p}), and {@code ungraded}, the share of answers without a grade. The tokens of a
 * step are those of its prompts.
 */
public final class SampledObjective implements AnswerObjective<AnswerGroup> {
    private static final Logger LOG = LoggerFactory.getLogger(SampledObjective.class);
    private static final int MOST_FAILED_BATCHES = 3;
    private static final int WARNINGS = 10;
    /** Groups after which it is said that most of them teach nothing. */
    private static final int WATCHED = 40;

    private final GroupObjective learner;
    private final Grading grading;
    private final SamplingOptions options;
    private final Optional<LanguageModel> start;
    /** The prompts by the tokens that they are asked with (the same array). */
    private final Map<int[], AnswerGroup> prompts = new IdentityHashMap<>();
    private int failedBatches;
    private int troubles;
    private int groups;
    private int equalGroups;

    /**
     * The objective.
     *
     * @param learner learns from the answers, and knows the model that gives them
     * @param grading grades them
     * @param options how they are drawn
     * @param start the model as it was before the training, where it is held to that ({@link Reference#START})
     */
    public SampledObjective(GroupObjective learner, Grading grading, SamplingOptions options,
            Optional<LanguageModel> start) {
        this.learner = Objects.requireNonNull(learner, "learner");
        this.grading = Objects.requireNonNull(grading, "grading");
        this.options = Objects.requireNonNull(options, "options");
        this.start = start;
    }

    @Override
    public String name() {
        return learner.name();
    }

    @Override
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>(learner.settings());
        settings.put("group_size", String.valueOf(options.groupSize()));
        settings.put("temperature", String.valueOf(options.temperature()));
        settings.put("top_p", String.valueOf(options.topP()));
        settings.put("grader", options.grader());
        return settings;
    }

    /** An update compares the answers to each prompt; workers would have to draw the same ones. */
    @Override
    public boolean comparesExamples() {
        return true;
    }

    @Override
    public EncodedExamples encode(List<AnswerGroup> examples, DataSetup setup) {
        AnswerFault.Log faults = new AnswerFault.Log();
        List<EncodedExample> encoded = new ArrayList<>();
        int longest = Math.min(setup.maxLength(), learner.model().network().description().maxPositions());
        for (int i = 0; i < examples.size(); i++) {
            AnswerGroup group = examples.get(i);
            int[] ids = learner.encoder().encodePrompt(group.prompt());
            if (ids.length + learner.options().maxCompletionLength() > longest) {
                faults.add(AnswerFault.CUT_AWAY, i, group.prompt().origin());
                continue;
            }
            prompts.put(ids, group);
            // What the grader sees of a row decides the training as well as its prompt.
            float[] row = {group.prompt().extra().toString().hashCode() & 0xFFFFFF};
            encoded.add(new EncodedExample(List.of(TokenSequence.unsupervised(ids)), row, options.groupSize(),
                    options.groupSize()));
        }
        return PreferenceObjective.kept(encoded, faults, examples.size(), setup);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        List<EncodedExample> answered = answered(passes, batch);
        // The loss of a batch is the mean that the learner takes over its answers, however many tokens they have.
        double scale = EncodedExample.weight(batch) / EncodedExample.weight(answered);
        return scale * learner.backward(passes, answered, normalizer / scale, true);
    }

    /** The prompts of a batch with answers and their rewards. */
    private List<EncodedExample> answered(Passes passes, List<EncodedExample> batch) {
        Sampling sampling = Sampling.of(options.temperature(), passes.seed()).withTopP(options.topP());
        List<Completion> completions = answers(batch, sampling, options.groupSize());
        List<Grading.Outcome> outcomes = graded(passes, batch, completions, options.groupSize());
        List<EncodedExample> answered = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            List<GroupObjective.Answer> answers = new ArrayList<>();
            for (int k = i * options.groupSize(); k < (i + 1) * options.groupSize(); k++) {
                answers.add(answer(batch.get(i), completions.get(k), outcomes.get(k)));
            }
            watch(answers);
            answered.add(learner.group(answers));
        }
        return learner.referenceValues() == 0 ? answered : withReferences(passes, answered);
    }

    private List<Completion> answers(List<EncodedExample> batch, Sampling sampling, int each) {
        List<Prompt> asked = batch.stream().map(example -> Prompt.tokens(example.sequences().get(0).ids())).toList();
        return learner.model().generate(asked, GenerationOptions.defaults().withSampling(sampling).withAnswers(each)
                .withMaxNewTokens(learner.options().maxCompletionLength()));
    }

    private static GroupObjective.Answer answer(EncodedExample prompt, Completion completion,
            Grading.Outcome outcome) {
        int[] asked = prompt.sequences().get(0).ids();
        int[] ids = Arrays.copyOf(asked, asked.length + completion.ids().length);
        System.arraycopy(completion.ids(), 0, ids, asked.length, completion.ids().length);
        float[] weights = new float[ids.length];
        Arrays.fill(weights, asked.length, ids.length, 1);
        return new GroupObjective.Answer(new TokenSequence(ids, weights),
                completion.stopReason() == Completion.StopReason.LENGTH,
                outcome.grade().map(Grade::reward).orElse(Double.NaN));
    }

    /** Grades answers, and measures what their grades are made of. */
    private List<Grading.Outcome> graded(Passes passes, List<EncodedExample> batch, List<Completion> completions,
            int each) {
        List<Grading.Answer> asked = new ArrayList<>();
        for (int k = 0; k < completions.size(); k++) {
            AnswerGroup group = prompts.get(batch.get(k / each).sequences().get(0).ids());
            asked.add(new Grading.Answer(group.prompt().origin() + ", answer " + (k % each + 1),
                    group.prompt().extra(), completions.get(k).text()));
        }
        List<Grading.Outcome> outcomes = grading.grade(asked);
        for (int k = 0; k < outcomes.size(); k++) {
            Grading.Outcome outcome = outcomes.get(k);
            outcome.grade().ifPresent(grade -> grade.parts().forEach((name, value) -> passes.measure("rewards/" + name,
                    value, 1)));
            passes.measure("ungraded", outcome.grade().isPresent() ? 0 : 1, 1);
            outcome.trouble().filter(trouble -> troubles++ < WARNINGS).ifPresent(LOG::warn);
        }
        for (int k = 0; k < completions.size(); k++) {
            List<ChatMessage> prompt = prompts.get(batch.get(k / each).sequences().get(0).ids()).prompt().messages();
            passes.show(new SampledAnswer(prompt.get(prompt.size() - 1).content(), completions.get(k).text(),
                    outcomes.get(k).grade().map(Grade::reward).orElse(Double.NaN)));
        }
        boolean none = outcomes.stream().allMatch(outcome -> outcome.grade().isEmpty());
        failedBatches = none ? failedBatches + 1 : 0;
        if (failedBatches == MOST_FAILED_BATCHES) {
            throw new ConfigurationException("no answer of " + MOST_FAILED_BATCHES + " batches could be graded: "
                    + outcomes.get(0).trouble().orElse(""));
        }
        return outcomes;
    }

    /** Says so, once, where most groups have nothing to teach. */
    private void watch(List<GroupObjective.Answer> answers) {
        groups++;
        equalGroups += answers.stream().mapToDouble(GroupObjective.Answer::reward).distinct().count() == 1 ? 1 : 0;
        if (groups == WATCHED && equalGroups > WATCHED / 2) {
            LOG.warn("in {} of the first {} groups all answers have the same reward: these teach nothing. Use prompts "
                    + "that the model answers well at times, a grader with more steps, larger groups or a higher "
                    + "temperature", equalGroups, groups);
        }
    }

    private List<EncodedExample> withReferences(Passes passes, List<EncodedExample> answered) {
        float[][] values = learner.options().reference() == Reference.BASE ? learner.reference(passes, answered)
                : learner.split(answered, ofStart(EncodedExample.sequences(answered)));
        List<EncodedExample> complete = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            complete.add(answered.get(i).withMoreTargets(values[i]));
        }
        return complete;
    }

    private float[] ofStart(List<TokenSequence> sequences) {
        LanguageModel model = start.orElseThrow(() -> new ConfigurationException("the reference is the model as it "
                + "starts, which was not given"));
        try (ModelLease lease = model.lease();
                Workspace workspace = model.engine().workspace(Priority.WORK);
                Pass pass = Pass.evaluation(lease, workspace, lease.network().pack(sequences))) {
            return pass.negativeLogLikelihoods();
        }
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        List<Completion> completions = answers(batch, Sampling.greedy(), 1);
        List<Grading.Outcome> outcomes = graded(passes, batch, completions, 1);
        double sum = 0;
        for (int i = 0; i < batch.size(); i++) {
            passes.measure("completions/mean_length", completions.get(i).ids().length, 1);
            if (outcomes.get(i).grade().isPresent()) {
                double reward = outcomes.get(i).grade().get().reward();
                passes.measure("reward", reward, 1);
                sum -= batch.get(i).weight() * reward;
            }
        }
        return sum;
    }

    @Override
    public String toString() {
        return "objective " + name() + " on its own answers";
    }
}
