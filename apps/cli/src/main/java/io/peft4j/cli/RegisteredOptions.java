package io.peft4j.cli;

import io.peft4j.trackers.Tracker;
import io.peft4j.trackers.Trackers;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.objective.ObjectiveOption;
import io.peft4j.train.objective.ObjectiveType;
import io.peft4j.train.objective.ObjectiveTypes;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ResourceBundle;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The options of trainings, and what help says of them, that types on the class path register. */
final class RegisteredOptions extends ResourceBundle {
    private static final String OBJECTIVES = "objectives";
    private static final String TOGETHER = "together";
    private static final String TRACKERS = "trackers";

    /** Completes the commands that train below a command. */
    static CommandLine on(CommandLine line) {
        line.getSubcommands().values().stream().map(CommandLine::getCommandSpec)
                .filter(command -> command.findOption("--objective") != null).forEach(RegisteredOptions::complete);
        return line;
    }

    private static void complete(CommandSpec command) {
        command.resourceBundle(new RegisteredOptions());
        TrainingOptions.declared().forEach(option -> add(command, option));
        users(ObjectiveTypes.all()).forEach((name, users) -> {
            if (command.findOption("--" + name) == null) {
                ObjectiveOption<?> option = users.values().iterator().next();
                command.addOption(OptionSpec.builder("--" + name).arity("1").type(option.type())
                        .paramLabel(option.label()).description(about(users)).userObject(HelpGroup.OBJECTIVE).build());
            }
        });
    }

    private static void add(CommandSpec command, TrainingOptions.Declared option) {
        String usual = option.usual();
        OptionSpec.Builder spec = OptionSpec.builder("--" + option.name()).userObject(option)
                .description((option.help() + (usual.isEmpty() || option.type() == boolean.class ? ""
                        : " Default: " + usual)).replace("%", "%%"));
        if (option.type() == boolean.class) {
            spec.arity("0").type(boolean.class);
        } else {
            spec.arity("1").paramLabel(option.label()).type(option.type() == List.class ? List.class : String.class)
                    .auxiliaryTypes(String.class);
        }
        command.addOption(spec.build());
    }

    /** The words that were given for an option of a training. */
    static List<String> given(CommandSpec command, TrainingOptions.Declared option) {
        Object value = command.findOption("--" + option.name()).getValue();
        return value == null || Boolean.FALSE.equals(value) ? List.of()
                : (value instanceof List<?> all ? all : List.of(value)).stream().map(Object::toString).toList();
    }

    /** The options of objectives by their names, each as the objectives that have it say it. */
    static Map<String, Map<String, ObjectiveOption<?>>> users(List<ObjectiveType<?>> types) {
        Map<String, Map<String, ObjectiveOption<?>>> users = new LinkedHashMap<>();
        types.forEach(type -> type.options().forEach(option -> users.computeIfAbsent(option.name(),
                name -> new LinkedHashMap<>()).put(type.name(), option)));
        return users;
    }

    /** Such as {@code dpo, kto: how firmly ...; simpo: the scale of rewards. Default: 0.1}. */
    private static String about(Map<String, ObjectiveOption<?>> users) {
        String about = grouped(users, ObjectiveOption::about, ": ").stream().collect(Collectors.joining("; "));
        String usual = users.values().stream().flatMap(option -> option.usual().stream())
                .map(value -> value.toString().replaceFirst("\\.0$", "")).distinct()
                .collect(Collectors.joining(" or "));
        return (about + (usual.isEmpty() ? "." : ". Default: " + usual)).replace("%", "%%");
    }

    /** Names with what is said of them, in the order in which it is said first. */
    private static <T> List<String> grouped(Map<String, T> named, Function<T, String> said, String sign) {
        Map<String, List<String>> names = named.entrySet().stream().collect(Collectors.groupingBy(
                each -> said.apply(each.getValue()), LinkedHashMap::new, Collectors.mapping(Map.Entry::getKey,
                        Collectors.toList())));
        return names.entrySet().stream().map(same -> String.join(", ", same.getValue()) + sign + same.getKey())
                .toList();
    }

    /** A line for objectives of which the same is said. */
    private static String objectives() {
        Map<String, String> about = ObjectiveTypes.all().stream().collect(Collectors.toMap(ObjectiveType::name,
                ObjectiveType::about, (one, other) -> one + "; " + other, LinkedHashMap::new));
        return "  " + String.join("\n  ", grouped(about, Function.identity(), ": "));
    }

    @Override
    protected @Nullable Object handleGetObject(String key) {
        return switch (key) {
            case OBJECTIVES -> objectives();
            case TOGETHER -> ObjectiveOptions.names(ObjectiveTypes.together()).replaceFirst(", (?!.*,)", " and ");
            case TRACKERS -> Trackers.all().stream().map(Tracker::form).collect(Collectors.joining(", "));
            default -> null;
        };
    }

    @Override
    public Enumeration<String> getKeys() {
        return Collections.enumeration(List.of(OBJECTIVES, TOGETHER, TRACKERS));
    }
}
