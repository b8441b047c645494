package io.peft4j.lora;

import io.peft4j.core.peft.ObjectFormat;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.Key;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Arrow (<a href="https://arxiv.org/abs/2405.11157">2405.11157</a>), {@code arrow_config} of {@link LoraConfig}: each
 * layer mixes several LoRA adapters separately for each token. Adapter e has a prototype p_e [in], the right singular
 * vector of {@code B_e A_e} with the largest singular value; {@code y = base(x) + sum of c_e s_e (x A_e^T) B_e^T}, c
 * the softmax of {@code |x p_e| / T} over the k adapters where it is largest, s_e each adapter's own scaling. Signs of
 * prototypes do not count.
 *
 * <p>Nothing is trained. The adapters are plain LoRA of one rank on the same linear layers. They are read from
 * subfolders with their names, from folders beside the router's, as Hugging Face PEFT saves them, or from paths; and
 * saved in subfolders. A and B of the router's own file have no effect.
 *
 * <p>With {@code use_gks} (<a href="https://aclanthology.org/2025.acl-short.54/">general knowledge subtraction</a>) the
 * means of A and of B of general adapters are first taken from those of each adapter.
 *
 * @param chosen {@code top_k}: k, how many adapters work on a token; default 3
 * @param temperature {@code router_temperature}: T; default 1
 * @param subtractsGeneral {@code use_gks}: whether general adapters are subtracted; default false
 * @param adapters {@code task_adapter_names}: the adapters that are mixed
 * @param general {@code gks_adapter_names}: the general ones
 * @param seed {@code rng_seed}: with it, prototypes are what 15 rounds of power iteration make of PyTorch's random
 *     numbers, as in Hugging Face PEFT, which takes other numbers each time where it is not given; default none: they
 *     are exact
 */
public record Arrow(@Key(value = "top_k", fallback = "3") int chosen,
        @Key(value = "router_temperature", fallback = "1.0") double temperature,
        @Key("use_gks") boolean subtractsGeneral, @Key("task_adapter_names") List<String> adapters,
        @Key(value = "gks_adapter_names", fallback = "[]") List<String> general, @Key("rng_seed") OptionalInt seed) {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there are too few adapters, or a value is out of range
     */
    public Arrow {
        adapters = List.copyOf(adapters);
        general = List.copyOf(general);
        Checks.require(chosen >= 1 && chosen <= adapters.size(), "top_k is " + chosen + "; it must be from 1 to the "
                + "number of task_adapter_names, " + adapters.size());
        Checks.require(temperature > 0, "router_temperature is " + temperature + "; it must be above 0");
        Checks.require(subtractsGeneral == !general.isEmpty(), "use_gks is " + subtractsGeneral
                + ", and there are " + general.size() + " gks_adapter_names");
    }

    /** Of the k best of some adapters, by their folders; with the other values at their defaults. */
    public static Arrow of(int chosen, List<String> adapters) {
        return new Arrow(chosen, 1, false, adapters, List.of(), OptionalInt.empty());
    }

    /** All adapters, those that are mixed first. */
    public List<String> all() {
        return Stream.concat(adapters.stream(), general.stream()).toList();
    }

    /** The same with other folders. */
    public Arrow withAdapters(List<String> mixed, List<String> subtracted) {
        return new Arrow(chosen, temperature, subtractsGeneral, mixed, subtracted, seed);
    }

    /** An object, or null. */
    static final class Format extends ObjectFormat<Arrow> {
        Format() {
            super(Arrow.class);
        }
    }
}
