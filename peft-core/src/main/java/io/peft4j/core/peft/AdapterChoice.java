package io.peft4j.core.peft;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The rule by which a request gets its adapter, wherever several stand on one base: it never gets another than the one
 * that was meant.
 *
 * <ul>
 * <li>A request that names an adapter gets that one; one that names the base ({@value PeftModel#BASE}, or as the base
 * is called) gets the base.
 * <li>One that names none gets the default where one was chosen, else the only adapter that there is, and the base
 * if there is no adapter. Where there are several and none was chosen, it is refused.
 * </ul>
 *
 * @param defaultName the adapter that was chosen for requests that name none; may be that of the base
 * @param baseNames what the base is called beside {@value PeftModel#BASE}
 * @param remedy how a default is chosen, for messages: "set peft4j.default-adapter"
 */
@Internal(shared = true)
public record AdapterChoice(Optional<String> defaultName, Set<String> baseNames, String remedy) {
    /** Copies the names. */
    public AdapterChoice {
        Objects.requireNonNull(defaultName, "defaultName");
        Set<String> names = new LinkedHashSet<>(baseNames);
        names.add(PeftModel.BASE);
        baseNames = Set.copyOf(names);
        Objects.requireNonNull(remedy, "remedy");
    }

    /** Whether a name is one of the base. */
    public boolean isBase(String name) {
        return baseNames.contains(name);
    }

    /**
     * What answers a request.
     *
     * @param asked the name in the request; empty where it has none
     * @param adapters the names of the adapters that there are
     * @return one of them, or {@value PeftModel#BASE}
     * @throws ConfigurationException when there is no adapter of that name, or several and nothing says which
     */
    public String name(Optional<String> asked, Collection<String> adapters) {
        Optional<String> wanted = asked.or(() -> defaultName);
        if (wanted.isPresent()) {
            return known(wanted.get(), adapters);
        }
        if (adapters.size() > 1) {
            throw new ConfigurationException("there are " + adapters.size() + " adapters, " + adapters + ", and "
                    + "no default is set: " + remedy + "; '"
                    + PeftModel.BASE + "' is the base model");
        }
        return adapters.isEmpty() ? PeftModel.BASE : adapters.iterator().next();
    }

    private String known(String name, Collection<String> adapters) {
        if (isBase(name)) {
            return PeftModel.BASE;
        }
        if (!adapters.contains(name)) {
            throw new ConfigurationException("unknown adapter '" + name + "'; " + SimilarNames.sentence(name, adapters)
                    + "; '" + PeftModel.BASE + "' is the base model");
        }
        return name;
    }
}
