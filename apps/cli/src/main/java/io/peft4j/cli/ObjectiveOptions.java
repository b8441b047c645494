package io.peft4j.cli;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.data.Masking;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.PreferenceRows;
import io.peft4j.data.task.RowKind;
import io.peft4j.data.task.TaskRows;
import io.peft4j.models.BaseModel;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.ContrastiveObjective;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.KtoObjective;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.OrpoObjective;
import io.peft4j.train.objective.QuestionAnsweringObjective;
import io.peft4j.train.objective.SimpoObjective;
import io.peft4j.train.objective.SourceTargetObjective;
import io.peft4j.train.objective.TokenClassificationObjective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** What is minimized, and so what the rows of the data are. */
@HelpGroup(HelpGroup.OBJECTIVE)
final class ObjectiveOptions {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectiveOptions.class);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--objective", paramLabel = "NAME", defaultValue = "sft", description = {"What is learned from "
            + "the rows. Default: ${DEFAULT-VALUE}",
        "  sft                   the answers of chats, {\"prompt\", \"completion\"}, {\"text\"}; of encoder-decoders",
        "                        {\"source\", \"target\"}",
        "  dpo, orpo, simpo      {\"prompt\", \"chosen\", \"rejected\"} as texts or messages, or OpenAI's",
        "                        {\"input\", \"preferred_output\", \"non_preferred_output\"}",
        "  kto                   {\"messages\", \"label\"}, or \"prompt\" and \"completion\"; the label is true or",
        "                        false",
        "  distillation          the answers of chats, as --teacher would give them",
        "  classification        {\"text\", \"label\"}, with \"text_pair\"; a list of labels where several can be",
        "                        right, a number with a point for a regression",
        "  token-classification  {\"tokens\", \"labels\"}",
        "  question-answering    {\"question\", \"context\", \"answers\"}",
        "  contrastive           {\"anchor\", \"positive\"}, with \"negative\""})
    private Kind objective;

    @Option(names = "--also", paramLabel = FurtherObjective.FORM,
            description = "Learns another objective at the same time, from a file of its own; may be given "
                    + "repeatedly. Each update takes a batch of each, and the loss is the sum of their losses, times W "
                    + "(default 1); epochs are those of --data. For sft, dpo, orpo, simpo, kto and distillation.")
    private List<FurtherObjective> others = List.of();

    @Mixin
    private PreferenceOptions preferences;

    @Mixin
    private TeacherOptions teacher;

    @Option(names = "--gradient-cache", paramLabel = "N", description = "contrastive: runs N examples at a time, "
            + "however large the batch and so the number of negatives is.")
    private Integer gradientCache;

    /** The objectives, named as their options are. */
    enum Kind {
        SFT, DPO, ORPO, SIMPO, KTO, DISTILLATION, CLASSIFICATION, TOKEN_CLASSIFICATION, QUESTION_ANSWERING, CONTRASTIVE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Those that can be learned together. */
    private static final Set<Kind> MIXED = EnumSet.of(Kind.SFT, Kind.DPO, Kind.ORPO, Kind.SIMPO, Kind.KTO,
            Kind.DISTILLATION);

    /** Options that only some objectives use. */
    private static final Map<String, Set<Kind>> USED_BY = new LinkedHashMap<>();

    static {
        USED_BY.put("--beta", EnumSet.of(Kind.DPO, Kind.ORPO, Kind.SIMPO, Kind.KTO));
        USED_BY.put("--gamma", EnumSet.of(Kind.SIMPO));
        USED_BY.put("--loss", EnumSet.of(Kind.DPO));
        USED_BY.put("--reference", EnumSet.of(Kind.DPO, Kind.KTO));
        USED_BY.put("--desirable-weight", EnumSet.of(Kind.KTO));
        USED_BY.put("--undesirable-weight", EnumSet.of(Kind.KTO));
        USED_BY.put("--label-smoothing", EnumSet.of(Kind.SFT, Kind.DPO, Kind.SIMPO));
        USED_BY.put("--teacher", EnumSet.of(Kind.DISTILLATION));
        USED_BY.put("--teacher-adapter", EnumSet.of(Kind.DISTILLATION));
        USED_BY.put("--temperature", EnumSet.of(Kind.DISTILLATION));
        USED_BY.put("--teacher-share", EnumSet.of(Kind.DISTILLATION));
        USED_BY.put("--gradient-cache", EnumSet.of(Kind.CONTRASTIVE));
        USED_BY.put("--learn", EnumSet.of(Kind.SFT));
        USED_BY.put("--max-length", EnumSet.of(Kind.SFT, Kind.DPO, Kind.ORPO, Kind.SIMPO, Kind.KTO,
                Kind.DISTILLATION));
    }

    /** The objective of a name. */
    static Kind kind(String name) {
        return Arrays.stream(Kind.values()).filter(kind -> kind.toString().equals(name)).findFirst()
                .orElseThrow(() -> new TypeConversionException("unknown objective '" + name + "'; use one of "
                        + Arrays.toString(Kind.values())));
    }

    /** Checks the options of objectives, before anything is read. */
    void check(PeftCommand command) {
        Set<Kind> chosen = EnumSet.of(objective);
        others.forEach(other -> chosen.add(other.objective()));
        USED_BY.forEach((option, kinds) -> {
            if (command.isGiven(option) && Collections.disjoint(kinds, chosen)) {
                throw command.usage(option + " is not used by --objective " + names(chosen) + "; it is for "
                        + names(kinds));
            }
        });
        if (!others.isEmpty() && !MIXED.containsAll(chosen)) {
            throw command.usage("--also is for objectives that predict tokens (" + names(MIXED) + "), not "
                    + names(chosen));
        }
        command.fromOptions(preferences::dpo);
        command.fromOptions(preferences::kto);
        if (!(preferences.gamma() >= 0)) {
            throw command.usage("--gamma must be 0 or more");
        }
        teacher.check(command, chosen.contains(Kind.DISTILLATION));
        if (gradientCache != null && gradientCache < 1) {
            throw command.usage("--gradient-cache must be at least 1");
        }
    }

    private static String names(Collection<Kind> kinds) {
        return kinds.stream().map(Kind::toString).collect(Collectors.joining(", "));
    }

    /**
     * The rows of a file as the objective learns them, or of several files.
     *
     * @param masking what is learned of chats
     * @param loader loads a teacher
     */
    TrainingData read(DataFile data, Optional<DataFile> validation, Masking masking,
            Function<String, BaseModel> loader) {
        if (others.isEmpty()) {
            return read(objective, data, validation, masking, loader);
        }
        List<TrainingData> parts = new ArrayList<>(List.of(read(objective, data, validation, masking, loader)));
        List<Double> weights = new ArrayList<>(List.of(1.0));
        for (FurtherObjective other : others) {
            DataFile rows = new DataFile(other.data(), Optional.empty(), Map.of(), data.encoding());
            parts.add(read(other.objective(), rows, other.validation().map(rows::at), masking, loader));
            weights.add(other.weight());
        }
        return new MixedData(parts, weights);
    }

    private TrainingData read(Kind kind, DataFile data, Optional<DataFile> validation, Masking masking,
            Function<String, BaseModel> loader) {
        return switch (kind) {
            case SFT -> sft(data, validation, masking);
            case DPO -> pairs(data, validation, model -> new DpoObjective(model, preferences.dpo()));
            case ORPO -> pairs(data, validation, model -> new OrpoObjective(model,
                    preferences.beta(OrpoObjective.BETA)));
            case SIMPO -> pairs(data, validation, model -> new SimpoObjective(model,
                    preferences.beta(SimpoObjective.BETA), preferences.gamma(), 0));
            case KTO -> TrainingData.Rows.read(data, validation, PreferenceRows::judged,
                    rows -> Optional.empty(), model -> new KtoObjective(model, preferences.kto()));
            case DISTILLATION -> teacher.read(data, validation, loader);
            case CLASSIFICATION -> TrainingData.Rows.read(data, validation, TaskRows::texts,
                    rows -> Optional.of(Labels.ofTexts(rows)), ClassificationObjective::new);
            case TOKEN_CLASSIFICATION -> TrainingData.Rows.read(data, validation, TaskRows::words,
                    rows -> Optional.of(Labels.ofWords(rows)), TokenClassificationObjective::new);
            case QUESTION_ANSWERING -> TrainingData.Rows.read(data, validation, TaskRows::questions,
                    rows -> Optional.of(Task.QUESTION_ANSWERING), QuestionAnsweringObjective::new);
            case CONTRASTIVE -> TrainingData.Rows.read(data, validation, TaskRows::pairs,
                    rows -> Optional.of(Task.EMBEDDING), this::contrastive);
        };
    }

    private TrainingData sft(DataFile data, Optional<DataFile> validation, Masking masking) {
        if (others.isEmpty() && TaskRows.holdsSources(data)) {
            return TrainingData.Rows.read(data, validation, TaskRows::sources,
                    rows -> Optional.of(Task.of(Task.Type.SEQ_2_SEQ_LM)), SourceTargetObjective::new);
        }
        RowKind.CHATS.require(data);
        RowKind.leftOutOfChats(data).ifPresent(text -> LOG.warn(new OptionNames(command).in(text)));
        return TrainingData.Chats.read(data, validation, masking);
    }

    private static TrainingData pairs(DataFile data, Optional<DataFile> validation,
            Function<LanguageModel, Objective<PreferenceExample>> objective) {
        return TrainingData.Rows.read(data, validation, PreferenceRows::pairs, rows -> Optional.empty(), objective);
    }

    private ContrastiveObjective contrastive(LanguageModel model) {
        ContrastiveObjective whole = new ContrastiveObjective(model);
        return gradientCache == null ? whole : whole.withGradientCache(gradientCache);
    }
}
