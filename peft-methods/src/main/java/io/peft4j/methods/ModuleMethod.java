package io.peft4j.methods;

import io.peft4j.core.peft.PeftMethod;
import java.util.Map;
import java.util.Objects;

/** The names of a method. */
abstract class ModuleMethod implements PeftMethod {
    private final String peftType;
    private final String name;
    private final String description;
    private final String paper;
    private final Map<String, String> optionKeys;

    ModuleMethod(String peftType, String name, String description, String paper, Map<String, String> optionKeys) {
        this.peftType = Objects.requireNonNull(peftType, "peftType");
        this.name = Objects.requireNonNull(name, "name");
        this.description = Objects.requireNonNull(description, "description");
        this.paper = Objects.requireNonNull(paper, "paper");
        this.optionKeys = Map.copyOf(optionKeys);
    }

    @Override
    public final String peftType() {
        return peftType;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String description() {
        return description;
    }

    @Override
    public final String paper() {
        return paper;
    }

    @Override
    public final Map<String, String> optionKeys() {
        return optionKeys;
    }
}
