package io.peft4j.core.peft.config;

/** The configuration of a method that adapts layers of the base. */
public interface PlacedConfig extends PeftConfig {
    /** Where the adapter's layers sit, and what is trained as a whole beside them. */
    Placement placement();

    /** The same with another placement. */
    static <C extends PlacedConfig> C with(C config, Placement placement) {
        return ConfigSchema.with(config, "placement", placement);
    }

    /** Whether a method trains layers as a whole beside those that it adapts ({@code modules_to_save}). */
    static boolean savesModules(PlacedConfig config) {
        return ConfigSchema.of(config.getClass()).defaults().containsKey("modules_to_save");
    }

    @Override
    default TargetModules targetModules() {
        return placement().targetModules();
    }
}
