"""The decisions about everything in a repository. Rules read the decisions from one context and make the edits.

The repository:

- ``context`` - one repository with all decisions, each made at its first use
- ``facts`` - all facts: providers, root modules, stacks, settings
- ``roots`` - root modules, and the stacks that run them
- ``by_hand`` - stacks of an inventory that no code defines
- ``overriding`` - settings that override the sign-in of stacks of other repositories

The sign-in of backends:

- ``strategy`` - by themselves or by a hook, with the reason
- ``hook_targets`` - the code that signs in by a hook, and the role of the hook
- ``hooks`` - the stacks that get the hook
- ``stack_roles`` - stacks that give one backend different roles
- ``environment_roots`` - root modules in which everything signs in with the role of the environment

The role of a provider:

- ``role_mappings`` - the roles of ``--role``, by identity
- ``shared_roles`` - the roles of ``--role-arn`` and ``--backend-role-arn``, each for one identity of the whole run
- ``root_identities`` - the identities in one root module
- ``web_identity`` - a provider with web identity of its own
- ``unit_stacks`` - the sign-in of units of Terragrunt by their stacks
- ``hook_identity`` - a provider that uses the hook's credentials

The way of the role to the provider:

- ``role_variables`` - the variables that hold roles, declared and passed down
- ``role_purpose`` - whether a variable of that name is unused, or already a role's
- ``role_values`` - the values that root modules need for these variables
- ``stack_variables`` - the variables that each stack must set

The signers after the migration:

- ``signers.providers`` - the fate of every provider
- ``signers.changes`` - the new sign-in of each provider, backend and remote state
- ``signers.table`` - the signers before and after the migration
- ``signers.roles`` - the roles that AWS must trust
- ``replacements`` - who still needs static credentials of the environment
- ``survey`` - the record of the stacks for people, and for other repositories

Messages are in ``diagnostics`` and ``hook_diagnostics``.
"""
