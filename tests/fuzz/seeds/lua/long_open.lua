return [[ never
closed