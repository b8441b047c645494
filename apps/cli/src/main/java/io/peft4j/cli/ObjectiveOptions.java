package io.peft4j.cli;

import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.data.DataSource;
import io.peft4j.train.data.TrainingData;
import io.peft4j.train.objective.ObjectiveOption;
import io.peft4j.train.objective.ObjectiveType;
import io.peft4j.train.objective.ObjectiveTypes;
import io.peft4j.train.objective.ObjectiveValues;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What is minimized, and so what the rows of the data are. The options of the objectives themselves are those that they
 * register ({@link RegisteredOptions}).
 */
@HelpGroup(HelpGroup.OBJECTIVE)
final class ObjectiveOptions {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectiveOptions.class);

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--objective", paramLabel = "NAME", defaultValue = "sft", description = "What is learned from "
            + "the rows. Default: ${DEFAULT-VALUE}%n${bundle:objectives}")
    private String objective;

    @Option(names = "--also", paramLabel = FurtherObjective.FORM,
            description = "Learns another objective at the same time, from a file of its own; may be given "
                    + "repeatedly. Each update takes a batch of each, and the loss is the sum of their losses, times W "
                    + "(default 1); epochs are those of --data. For ${bundle:together}.")
    private List<FurtherObjective> others = List.of();

    /**
     * Checks the options of objectives, before anything is read.
     *
     * @param asked what a training is asked for besides
     * @param own names of options that the command gives another meaning
     */
    void check(PeftCommand line, TrainingOptions asked, String... own) {
        Set<String> chosen = new LinkedHashSet<>(List.of(objective));
        others.forEach(other -> chosen.add(other.objective()));
        List<ObjectiveType<?>> types = chosen.stream().flatMap(name -> line.fromOptions(() -> ObjectiveTypes
                .named(name)).stream()).toList();
        RegisteredOptions.users(ObjectiveTypes.all()).forEach((option, users) -> {
            if (!List.of(own).contains(option) && line.isGiven("--" + option)
                    && Collections.disjoint(users.keySet(), chosen)) {
                throw line.usage("--" + option + " is not used by --objective " + String.join(", ", chosen)
                        + "; it is for " + String.join(", ", users.keySet()));
            }
        });
        for (String name : others.isEmpty() ? Set.<String>of() : chosen) {
            if (ObjectiveTypes.together(name).isEmpty()) {
                throw line.usage("--also is for objectives that predict tokens (" + names(ObjectiveTypes.together())
                        + "), not " + String.join(", ", chosen));
            }
        }
        ObjectiveValues values = values(asked);
        types.forEach(type -> line.fromOptions(() -> type.with(values)));
    }

    static String names(Collection<ObjectiveType<?>> types) {
        return String.join(", ", types.stream().map(ObjectiveType::name).distinct().toList());
    }

    private ObjectiveValues values(TrainingOptions asked) {
        Map<String, Object> values = new HashMap<>();
        for (String option : RegisteredOptions.users(ObjectiveTypes.all()).keySet()) {
            Optional.ofNullable(command.findOption("--" + option)).map(OptionSpec::getValue)
                    .ifPresent(value -> values.put(option, value));
        }
        values.put(ObjectiveOption.MASKING.name(), asked.masking());
        values.put(ObjectiveOption.LABEL_SMOOTHING.name(), asked.labelSmoothing());
        asked.maxLength().ifPresent(most -> values.put(ObjectiveOption.MAX_LENGTH.name(), most));
        return new ObjectiveValues(values);
    }

    /**
     * The rows of a file as the objective learns them, or of several files.
     *
     * @param asked what a training is asked for besides
     * @param input how files are read
     * @param loader loads a teacher
     */
    TrainingData read(TrainingOptions asked, DataInput input, Path data, Optional<Path> validation,
            Function<String, BaseLanguageModel> loader) {
        List<List<String>> forms = forms(objective);
        List<DataSource> sources = new ArrayList<>(List.of(new DataSource(objective, input.file(data, forms),
                validation.map(file -> input.file(file, forms)), 1)));
        for (FurtherObjective other : others) {
            List<List<String>> named = forms(other.objective());
            sources.add(new DataSource(other.objective(), input.further(other.data(), named),
                    other.validation().map(file -> input.further(file, named)), other.weight()));
        }
        TrainingData read = TrainingData.read(sources, values(asked), loader);
        read.notes().forEach(note -> LOG.warn(new OptionNames(command).in(note)));
        return read;
    }

    /** What the columns of a table may be. */
    private static List<List<String>> forms(String name) {
        return ObjectiveTypes.named(name).stream().flatMap(type -> type.rows().forms().stream()).distinct().toList();
    }
}
