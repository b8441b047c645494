package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PlacedConfig;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What an adapter does with the head of a task: it trains the head as a whole and saves it. */
@Internal
public final class TaskHeads {
    private TaskHeads() {
    }

    /** The places that an adapter trains as a whole for the task of a network. */
    public static Set<Slot> places(Network network) {
        Set<Slot> places = new LinkedHashSet<>();
        saved(network).forEach(name -> places.addAll(TrainedCopies.places(network, name)));
        return places;
    }

    /** Names for {@code modules_to_save}: those of Hugging Face PEFT, and what else the checkpoint lacked. */
    private static List<String> saved(Network network) {
        List<String> names = new ArrayList<>();
        Task.Type task = network.task().type();
        if (!task.hasHead() || !network.headed().comparesVectors()) {
            names.addAll(task.savedModules());
        }
        if (task.hasHead()) {
            network.headed().untrained().stream().filter(path -> names.stream().noneMatch(
                    name -> TrainedCopies.places(network, name).stream().anyMatch(slot -> slot.path().equals(path))))
                    .forEach(names::add);
        }
        return names;
    }

    /**
     * A new adapter's configuration for the task of a network: {@code task_type} says the task, and
     * {@code modules_to_save} has the layers of its head, where the method does not train all layers anyway.
     *
     * @throws ConfigurationException when the network has a head without trained values, and the method trains none
     */
    public static PeftConfig configured(PeftConfig config, Network network) {
        Task.Type task = network.task().type();
        if (task == Task.Type.CAUSAL_LM || task.hasHead() && network.headed().pairPrompt().isPresent()) {
            return config;
        }
        // Hugging Face PEFT refuses a task that it does not know; the passport has it.
        PeftConfig typed = task == Task.Type.DECISION
                ? config.withCommon(config.common().withTaskType(Optional.empty()))
                : config.withCommon(config.common().withTaskType(task.name()));
        if (typed instanceof PlacedConfig placed && PlacedConfig.savesModules(placed)) {
            Set<String> names = new LinkedHashSet<>(placed.placement().modulesToSave());
            names.addAll(saved(network));
            return PlacedConfig.with(placed, placed.placement().withModulesToSave(List.copyOf(names)));
        }
        boolean all = typed instanceof PlacedConfig && typed.targetModules().isUnset();
        if (!all && task.hasHead() && !network.headed().untrained().isEmpty()) {
            throw new ConfigurationException(config.peftType() + " does not train the head, and "
                    + network.description().name() + " has an untrained one: "
                    + network.headed().untrained() + "; use a method with modules_to_save, such as LORA");
        }
        return typed;
    }
}
