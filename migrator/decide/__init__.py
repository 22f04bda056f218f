"""Decisions stand here: what is to become of all that was found. Rules read them from one context and make the edits.

What there is:

- ``context`` - one repository with all that follows, each part made when somebody asks
- ``facts`` - everything that was found: providers, root modules, stacks, settings
- ``roots`` - root modules, and the stacks that run them
- ``by_hand`` - stacks of an inventory that no code defines

How backends sign in:

- ``strategy`` - by themselves, or by a hook, and why
- ``hook_targets`` - what signs in by a hook, and the role of the hook
- ``hooks`` - the stacks that get the hook
- ``stack_roles`` - stacks that give one backend different roles
- ``environment_roots`` - root modules in which all sign in with the role of the environment

Which role a provider gets:

- ``role_mappings`` - the roles of ``--role``, by identity
- ``shared_roles`` - the roles of ``--role-arn`` and ``--backend-role-arn``, each for one identity of the whole run
- ``root_identities`` - the identities that meet in one root module
- ``web_identity`` - a provider with web identity of its own
- ``hook_identity`` - a provider that lives on the hook's credentials

How the role gets there:

- ``role_variables`` - the variables that hold roles, declared and handed down
- ``role_purpose`` - whether a variable of that name is free, or a role's already
- ``role_values`` - the values that root modules need for these variables
- ``stack_variables`` - the variables that each stack is to set

Who signs then:

- ``signers.providers`` - what becomes of every provider
- ``signers.changes`` - how each provider, backend and remote state signs in afterwards
- ``signers.table`` - who signs, before and after
- ``signers.roles`` - the roles that AWS must trust
- ``survey`` - what people, and other repositories, are told of the stacks

Messages are in ``diagnostics`` and ``hook_diagnostics``.
"""
